"""Drives a storage daemon with the reference's own Python client (qemu.qmp).

qmp_client.py SOCKET: connects, works with nodes, a job and an export, sees events, negotiates
again on a second connection, is refused what should be refused, and ends the daemon.
"""
import asyncio
import sys

from qemu.qmp import ExecuteError, QMPClient


async def refused(client, error_class, command, **arguments):
    """The command fails, and with that class."""
    try:
        await client.execute(command, arguments)
    except ExecuteError as error:
        assert error.error_class == error_class, error
    else:
        raise AssertionError(f'{command} was not refused')


async def work(path):
    client = QMPClient('first')
    await client.connect(path)
    version = await client.execute('query-version')
    assert version['qemu']['major'] == 7, version
    names = {each['name'] for each in await client.execute('query-commands')}
    assert {'quit', 'blockdev-add', 'query-version'} <= names, names
    await refused(client, 'CommandNotFound', 'no-such-command')
    await refused(client, 'GenericError', 'query-version', unknown=1)
    await refused(client, 'GenericError', 'blockdev-del', **{'node-name': 'none'})

    await client.execute('blockdev-add', {
        'driver': 'null-co', 'node-name': 'null', 'size': 1048576, 'read-zeroes': True})
    nodes = await client.execute('query-named-block-nodes')
    assert [each['node-name'] for each in nodes] == ['null'], nodes
    await client.execute('nbd-server-start', {
        'addr': {'type': 'unix', 'data': {'path': path + '.nbd'}}})
    with client.listener(('BLOCK_EXPORT_DELETED',)) as deleted:
        await client.execute('block-export-add', {
            'id': 'export', 'node-name': 'null', 'type': 'nbd', 'name': 'null'})
        await client.execute('block-export-del', {'id': 'export'})
        event = await asyncio.wait_for(deleted.get(), 30)
        assert event['data'] == {'id': 'export'}, event
        assert set(event['timestamp']) == {'seconds', 'microseconds'}, event
    await client.execute('nbd-server-stop')

    # Fifty at once: each answer finds its command.
    answers = await asyncio.gather(*(client.execute('query-version') for _ in range(50)))
    assert all(answer == version for answer in answers)
    await client.disconnect()

    again = QMPClient('again')
    await again.connect(path)
    await again.execute('blockdev-del', {'node-name': 'null'})
    assert await again.execute('query-named-block-nodes') == []
    await again.execute('quit')
    try:
        await again.disconnect()
    except EOFError:
        pass  # the daemon has gone first
    print('ok')


asyncio.run(work(sys.argv[1]))
