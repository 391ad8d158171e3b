"""Plays what a manager of virtual machines says during a live backup or a live storage migration.

qmp_transcript.py SYSTEM IMAGE_TOOL WORK backup|migration: starts SYSTEM (a qemu-system-x86_64)
without a machine, once or twice, says the commands in their order, and prints every reply and, at
each point where one is waited for, the events so far. What differs from run to run (times, sizes
of files, process numbers, places) is replaced, nothing else; keys stay in the order they came in.
"""
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time

MEBIBYTE = 1 << 20
NODE = 'libvirt-1-format'
DISK_BYTES = 32 * MEBIBYTE
VOLATILE = {'actual-size', 'last-seen', 'pid', 'wr_total_time_ns', 'rd_total_time_ns',
            'flush_total_time_ns', 'unmap_total_time_ns', 'idle_time_ns', 'current-progress'}


class Machine:
    """One process and its monitor."""

    def __init__(self, program, work, name, disk):
        self.name = name
        self.work = work
        self.events = []
        self.paused = False
        path = os.path.join(work, name + '.qmp')
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen(1)
        server.settimeout(60)
        self.process = subprocess.Popen(
            [program, '-name', name, '-machine', 'none', '-nodefaults', '-display', 'none', '-S',
             '-chardev', f'socket,id=monitor,path={path}', '-mon', 'chardev=monitor,mode=control',
             '-drive', f'if=none,id=vda,driver=qcow2,node-name={NODE},file.driver=file,'
             f'file.filename={disk},file.node-name=libvirt-1-storage,discard=unmap'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.socket, _ = server.accept()
        self.socket.settimeout(60)
        self.lines = self.socket.makefile('r', encoding='utf-8')
        greeting = json.loads(self.lines.readline())
        assert set(greeting['QMP']) == {'version', 'capabilities'}, greeting
        self.say('qmp_capabilities', quiet=True)

    def line(self):
        text = self.lines.readline()
        if not text:
            raise EOFError(f'{self.name} has closed its monitor')
        return json.loads(text)

    def say(self, command, quiet=False, **arguments):
        """Says a command and shows the reply; underscores in names stand for dashes."""
        said = {'execute': command, 'id': f'libvirt-{command}'}
        if arguments:
            said['arguments'] = {key.replace('_', '-'): value for key, value in arguments.items()}
        self.socket.sendall((json.dumps(said) + '\n').encode())
        while True:
            told = self.line()
            if 'event' not in told:
                break
            self.events.append(told)
        if not quiet:
            print(f'{self.name}> {command} {self.shown(arguments)}')
            print(f'{self.name}< {self.shown(told)}')
        return told.get('return')

    def until(self, event, **data):
        """Waits for an event with these data, and shows all events up to it."""
        while True:
            for index, told in enumerate(self.events):
                if told['event'] == event and data.items() <= told['data'].items():
                    for each in self.without_pauses(self.events[:index + 1]):
                        print(f'{self.name}! {self.shown(each)}')
                    del self.events[:index + 1]
                    return
            self.events.append(self.line())

    def without_pauses(self, events):
        """How often a job pauses while others change its nodes is nobody's affair."""
        for each in events:
            assert set(each.pop('timestamp')) == {'seconds', 'microseconds'}
            status = each['data'].get('status')
            if status == 'paused' or self.paused and status == 'running':
                self.paused = status == 'paused'
            else:
                yield each

    def shown(self, value):
        return json.dumps(self.plain(value)).replace(self.work, 'WORK')

    def plain(self, value):
        if isinstance(value, dict):
            return {key: 'VOLATILE' if key in VOLATILE else self.plain(part)
                    for key, part in value.items()}
        if isinstance(value, list):
            return [self.plain(part) for part in value]
        if isinstance(value, str):
            return re.sub(r'#block[0-9]+', '#blockN', value)
        return value

    def guest(self, command):
        """What a guest would do; there is none, so the monitor does it. What comes of it is seen at the end."""
        self.say('human-monitor-command', command_line=f'qemu-io vda "{command}"')

    def quit(self):
        self.say('quit')
        try:
            while self.lines.readline():
                pass
        except ConnectionResetError:
            pass
        told, _ = self.process.communicate(timeout=60)
        print(f'{self.name} ends with {self.process.returncode}, its guest was told:')
        print(re.sub(r'; [0-9.:]+ .*', '', told))


def disk(machine, path, name):
    """A qcow2 image as two nodes, as managers do it."""
    machine.say('blockdev-add', driver='file', filename=path, node_name=f'{name}-storage',
                auto_read_only=True, discard='unmap')
    machine.say('blockdev-add', node_name=f'{name}-format', read_only=False, driver='qcow2',
                file=f'{name}-storage')


def image(tool, path, *options):
    subprocess.run([tool, 'create', '-q', '-f', 'qcow2', *options, path, str(DISK_BYTES)], check=True)


def shows(tool, work, *arguments):
    """What a tool shows of an export or an image; in which order its clusters were made is chance."""
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    told = re.sub(r', "offset": [0-9]+|, [0-9.]+% fragmented', '', done.stdout + done.stderr)
    print(f'{arguments[0]}: {done.returncode} {told}'.replace(work, 'WORK'))


def backup(system, tool, work):
    """Checkpoints as dirty bitmaps, a backup that is pulled over NBD, one that is pushed."""
    top, scratch, pushed = (os.path.join(work, each) for each in ('top', 'scratch', 'pushed'))
    for path in (top, scratch, pushed):
        image(tool, path)
    vm = Machine(system, work, 'vm', top)
    vm.guest('write -P 1 0 4M')
    vm.say('transaction', actions=[
        {'type': 'block-dirty-bitmap-add',
         'data': {'node': NODE, 'name': 'first', 'persistent': True, 'disabled': False}}])
    vm.guest('write -P 2 1M 64k')
    vm.guest('write -P 3 8M 128k')
    vm.say('transaction', actions=[
        {'type': 'block-dirty-bitmap-add',
         'data': {'node': NODE, 'name': 'second', 'persistent': True, 'disabled': False}},
        {'type': 'block-dirty-bitmap-disable', 'data': {'node': NODE, 'name': 'first'}}])
    vm.guest('write -P 4 16M 64k')

    # Pulled: the scratch image keeps what is overwritten meanwhile.
    vm.say('nbd-server-start', addr={'type': 'unix', 'data': {'path': os.path.join(work, 'nbd')}})
    disk(vm, scratch, 'libvirt-2')
    vm.say('block-dirty-bitmap-add', node='libvirt-2-format', name='backup-vda', disabled=True)
    vm.say('block-dirty-bitmap-merge', node='libvirt-2-format', target='backup-vda',
           bitmaps=[{'node': NODE, 'name': 'first'}, {'node': NODE, 'name': 'second'}])
    vm.say('blockdev-add', driver='qcow2', node_name='overlay', file='libvirt-2-storage',
           backing=NODE)
    vm.say('blockdev-del', node_name='libvirt-2-format')
    vm.say('blockdev-add', driver='qcow2', node_name='overlay', file='libvirt-2-storage',
           backing=NODE)
    vm.say('block-dirty-bitmap-add', node='overlay', name='backup-vda', disabled=True)
    vm.say('block-dirty-bitmap-merge', node='overlay', target='backup-vda',
           bitmaps=[{'node': NODE, 'name': 'first'}, {'node': NODE, 'name': 'second'}])
    vm.say('transaction', actions=[
        {'type': 'blockdev-backup',
         'data': {'device': NODE, 'job-id': 'backup-vda', 'target': 'overlay', 'sync': 'none',
                  'auto-finalize': True, 'auto-dismiss': False}},
        {'type': 'block-dirty-bitmap-add',
         'data': {'node': NODE, 'name': 'third', 'persistent': True, 'disabled': False}}])
    vm.until('JOB_STATUS_CHANGE', id='backup-vda', status='running')
    vm.say('block-export-add', type='nbd', id='export', node_name='overlay', name='vda',
           writable=False, bitmaps=['backup-vda'])
    vm.say('query-block-exports')
    vm.guest('write -P 5 1M 64k')
    uri = f'driver=nbd,export=vda,server.type=unix,server.path={work}/nbd'
    shows(tool, work, 'map', '--output=json', '--image-opts',
          f'{uri},x-dirty-bitmap=qemu:dirty-bitmap:backup-vda')
    shows(tool, work, 'convert', '-O', 'raw', '--image-opts', uri, os.path.join(work, 'pulled'))
    vm.say('query-jobs')
    vm.say('block-export-del', id='export')
    vm.until('BLOCK_EXPORT_DELETED')
    vm.say('job-cancel', id='backup-vda')
    vm.until('JOB_STATUS_CHANGE', id='backup-vda', status='concluded')
    vm.say('query-jobs')
    vm.say('job-dismiss', id='backup-vda')
    vm.until('JOB_STATUS_CHANGE', id='backup-vda', status='null')
    vm.say('nbd-server-stop')
    vm.say('blockdev-del', node_name='overlay')
    vm.say('blockdev-del', node_name='libvirt-2-storage')

    # Pushed: what the second checkpoint has seen, while the bitmap goes on.
    disk(vm, pushed, 'libvirt-3')
    vm.say('blockdev-backup', device=NODE, job_id='push-vda', target='libvirt-3-format',
           sync='bitmap', bitmap='second', bitmap_mode='never', auto_finalize=True,
           auto_dismiss=False, iothread='iothread1')
    vm.say('blockdev-backup', device=NODE, job_id='push-vda', target='libvirt-3-format',
           sync='bitmap', bitmap='second', bitmap_mode='never', auto_finalize=True,
           auto_dismiss=False)
    vm.until('JOB_STATUS_CHANGE', id='push-vda', status='concluded')
    vm.say('query-jobs')
    vm.say('job-dismiss', id='push-vda')
    vm.until('JOB_STATUS_CHANGE', id='push-vda', status='null')
    vm.say('blockdev-del', node_name='libvirt-3-format')
    vm.say('blockdev-del', node_name='libvirt-3-storage')
    shows(tool, work, 'map', '--output=json', pushed)

    # The older checkpoint is given up: its bits go into the newer one.
    vm.say('transaction', actions=[
        {'type': 'block-dirty-bitmap-merge',
         'data': {'node': NODE, 'target': 'second', 'bitmaps': ['first']}},
        {'type': 'block-dirty-bitmap-remove', 'data': {'node': NODE, 'name': 'first'}}])
    vm.say('block-dirty-bitmap-remove', node=NODE, name='first')
    vm.say('query-named-block-nodes', flat=True)
    vm.quit()
    for path in (top, pushed):
        shows(tool, work, 'check', path)
    # The point in time: what was written after it is not in there.
    with open(os.path.join(work, 'pulled'), 'rb') as pulled:
        print('pulled:', hashlib.sha256(pulled.read()).hexdigest())


def migration(system, tool, work):
    """The disk goes to another process through NBD, under writes, and stays equal."""
    source, target = os.path.join(work, 'source'), os.path.join(work, 'target')
    for path in (source, target):
        image(tool, path)
    there = Machine(system, work, 'there', target)
    there.say('nbd-server-start', addr={'type': 'unix', 'data': {'path': os.path.join(work, 'nbd')}},
              max_connections=4)
    there.say('block-export-add', type='nbd', id='libvirt-nbd-1', node_name=NODE,
              name='drive-vda', writable=True)
    here = Machine(system, work, 'here', source)
    here.guest('write -P 1 0 16M')
    here.guest('write -z 4M 1M')
    here.say('blockdev-add', driver='nbd', node_name='migration-vda-storage', read_only=False,
             server={'type': 'unix', 'path': os.path.join(work, 'nbd')}, export='drive-vda',
             discard='unmap', auto_read_only=True)
    here.say('blockdev-add', driver='raw', node_name='migration-vda-format', read_only=False,
             discard='unmap', file='migration-vda-storage')
    here.say('blockdev-mirror', job_id='drive-vda', device=NODE, target='migration-vda-format',
             speed=0, sync='full', auto_finalize=True, auto_dismiss=False)
    here.until('BLOCK_JOB_READY', device='drive-vda')
    here.say('blockdev-mirror', job_id='drive-vda', device=NODE, target='migration-vda-format',
             sync='full')
    here.say('blockdev-del', node_name='migration-vda-format')
    for _ in range(600):
        told = here.say('query-block-jobs', quiet=True)
        if told[0]['offset'] == told[0]['len']:
            break
        time.sleep(0.1)
    here.say('query-block-jobs')
    here.guest('write -P 6 20M 64k')
    here.say('block-job-set-speed', device='drive-vda', speed=0)
    here.say('block-job-cancel', device='drive-vda')
    here.until('JOB_STATUS_CHANGE', id='drive-vda', status='concluded')
    here.say('query-jobs')
    here.say('job-dismiss', id='drive-vda')
    here.until('JOB_STATUS_CHANGE', id='drive-vda', status='null')
    here.say('blockdev-del', node_name='migration-vda-format')
    here.say('blockdev-del', node_name='migration-vda-storage')
    there.say('query-block-exports')
    there.say('block-export-del', id='libvirt-nbd-1')
    there.until('BLOCK_EXPORT_DELETED')
    there.say('nbd-server-stop')
    there.guest('read -P 6 20M 64k')
    here.quit()
    there.quit()
    shows(tool, work, 'compare', source, target)
    for path in (source, target):
        shows(tool, work, 'check', path)


{'backup': backup, 'migration': migration}[sys.argv[4]](*sys.argv[1:4])
