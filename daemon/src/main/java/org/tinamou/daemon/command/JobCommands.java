package org.tinamou.daemon.command;

import org.tinamou.aio.InCoroutine;
import org.tinamou.block.BlockException;
import org.tinamou.block.ErrorPolicy;
import org.tinamou.block.IoStatus;
import org.tinamou.daemon.Daemon;
import org.tinamou.jobs.BlockJob;
import org.tinamou.jobs.BlockJobInfo;
import org.tinamou.jobs.Job;
import org.tinamou.jobs.JobEvent;
import org.tinamou.jobs.JobInfo;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Jobs of every kind: what there are, the verbs, and the events that tell of them. */
final class JobCommands {
  private final Daemon daemon;

  JobCommands(Daemon daemon) {
    this.daemon = daemon;
    daemon.jobs().addListener(this::tell);
  }

  /** Something said to a job. */
  @FunctionalInterface
  private interface Verb<J> {
    @InCoroutine
    void speak(J job) throws BlockException;
  }

  void register(CommandList list) {
    list.query("query-jobs", _ -> jobs());
    list.query("query-block-jobs", _ -> blockJobs());
    verb(list, "pause", Job::userPause);
    verb(list, "resume", Job::userResume);
    verb(list, "cancel", job -> job.cancel(true));
    verb(list, "complete", Job::complete);
    verb(list, "dismiss", Job::dismiss);
    verb(list, "finalize", Job::finalizeJob);
    blockVerb(list, "pause", "device", BlockJob::userPause);
    blockVerb(list, "resume", "device", BlockJob::userResume);
    blockVerb(list, "complete", "device", BlockJob::complete);
    blockVerb(list, "dismiss", "id", BlockJob::dismiss);
    blockVerb(list, "finalize", "id", BlockJob::finalizeJob);
    list.action("block-job-cancel", this::cancel);
    list.action("block-job-set-speed", this::setSpeed);
  }

  private void verb(CommandList list, String verb, Verb<Job> action) {
    list.action(
        "job-" + verb, arguments -> action.speak(daemon.jobs().get(arguments.string("id"))));
  }

  private void blockVerb(CommandList list, String verb, String key, Verb<BlockJob> action) {
    list.action("block-job-" + verb, arguments -> action.speak(blockJob(arguments, key)));
  }

  private BlockJob blockJob(OptionReader arguments, String key)
      throws OptionException, BlockException {
    return daemon.jobs().getBlockJob(arguments.string(key));
  }

  private void cancel(OptionReader arguments) throws OptionException, BlockException {
    blockJob(arguments, "device").cancelBlockJob(arguments.bool("force", false));
  }

  private void setSpeed(OptionReader arguments) throws OptionException, BlockException {
    blockJob(arguments, "device").setSpeed(arguments.int64("speed", 0));
  }

  // ------------------------------------------------------------------------------------- queries

  private Json jobs() {
    Json.Array all = new Json.Array();
    for (Job job : daemon.jobs().all()) {
      JobInfo info = job.info();
      Json.Members report =
          new Json.Members()
              .put("id", info.id())
              .put("type", info.type().wireName())
              .put("status", info.status().wireName())
              .put("current-progress", info.currentProgress())
              .put("total-progress", info.totalProgress());
      if (info.error() != null) {
        report.put("error", info.error());
      }
      all.add(report);
    }
    return all;
  }

  private Json blockJobs() {
    Json.Array all = new Json.Array();
    daemon.jobs().blockJobs().forEach(job -> all.add(report(job.blockInfo())));
    return all;
  }

  private static Json.Members report(BlockJobInfo info) {
    Json.Members report =
        new Json.Members()
            .put("type", info.type().wireName())
            .put("device", info.device())
            .put("len", info.lengthBytes())
            .put("offset", info.offsetBytes())
            .put("busy", info.busy())
            .put("paused", info.paused())
            .put("speed", info.speedBytesPerSecond())
            .put("io-status", word(info.ioStatus()))
            .put("ready", info.ready())
            .put("status", info.status().wireName())
            .put("auto-finalize", info.autoFinalize())
            .put("auto-dismiss", info.autoDismiss());
    if (info.error() != null) {
      report.put("error", info.error());
    }
    return report;
  }

  private static String word(IoStatus status) {
    return switch (status) {
      case OK -> "ok";
      case FAILED -> "failed";
      case NOSPACE -> "nospace";
    };
  }

  // -------------------------------------------------------------------------------------- events

  private void tell(JobEvent event) {
    switch (event) {
      case JobEvent.StatusChanged(Job job, var status) ->
          daemon
              .events()
              .emit(
                  "JOB_STATUS_CHANGE",
                  new Json.Members().put("id", job.id()).put("status", status.wireName()));
      case JobEvent.Ready(BlockJob _, BlockJobInfo info) -> emit("BLOCK_JOB_READY", end(info));
      case JobEvent.Completed(BlockJob _, BlockJobInfo info) -> {
        Json.Members data = end(info);
        if (info.error() != null) {
          data.put("error", info.error());
        }
        emit("BLOCK_JOB_COMPLETED", data);
      }
      case JobEvent.Cancelled(BlockJob _, BlockJobInfo info) ->
          emit("BLOCK_JOB_CANCELLED", end(info));
      case JobEvent.Pending(Job job) -> {
        if (job instanceof BlockJob) {
          emit(
              "BLOCK_JOB_PENDING",
              new Json.Members().put("type", job.type().wireName()).put("id", job.id()));
        }
      }
      case JobEvent.Failed(BlockJob job, boolean isRead, ErrorPolicy action) ->
          emit(
              "BLOCK_JOB_ERROR",
              new Json.Members()
                  .put("device", job.id())
                  .put("operation", isRead ? "read" : "write")
                  .put("action", word(action)));
    }
  }

  private void emit(String name, Json.Members data) {
    daemon.events().emit(name, data);
  }

  private static Json.Members end(BlockJobInfo info) {
    return new Json.Members()
        .put("type", info.type().wireName())
        .put("device", info.device())
        .put("len", info.lengthBytes())
        .put("offset", info.offsetBytes())
        .put("speed", info.speedBytesPerSecond());
  }

  private static String word(ErrorPolicy action) {
    return switch (action) {
      case IGNORE -> "ignore";
      case STOP -> "stop";
      default -> "report";
    };
  }
}
