//! The shell scripts that run on this machine around Slurm's commands. What they work on comes as arguments.

use offload_plugin::shell::quote;
use offload_plugin::types::Command;

use crate::step::{self, STEP};

/// offload may run in a job of its own, whose variables would change what Slurm's commands do.
const PRELUDE: &str = r#"
for name in $(env | sed -n 's/^\(S[A-Z]*_[A-Z0-9_]*\)=.*/\1/p'); do
    case $name in
        SLURM_CONF | SLURM_CONF_SERVER | SLURM_CLUSTERS | SLURM_JWT) ;;
        SLURM_* | SRUN_* | SQUEUE_* | SCANCEL_* | SINFO_* | SCONTROL_*) unset "$name" ;;
    esac
done
me=$(id -un)
"#;

/// Allocates with salloc's arguments after the seventh, waiting for `$2` seconds, as the job `$1`; makes the sandbox's
/// directories with `$3` to `$6` for [`step::furnish`], and runs the shell text `$7`, which brings directories into `$OFFLOAD_WORK`.
/// Prints lines that [`crate::creation`] reads.
///
/// Whatever ends this before all is done, be it a signal that nobody can catch, ends the pipe, and whoever reads it gives up what
/// was asked for: a session of its own keeps it alive.
const CREATE: &str = r#"
name=$1 seconds=$2 base=$3 place=$4 kind=$5 directory=$6 copy=$7
shift 7
exec 3>&1
failed() {
    printf 'offload-failed %s\n' "$1" >&3
    echo "$2"
    exit
}
{
    said=$(timeout --foreground "$seconds" salloc "$@" 2>&1 >/dev/null </dev/null)
    status=$?
    printf '%s\n' "$said" >&2
    if [ "$status" -eq 124 ]; then
        job=$(printf '%s\n' "$said" | sed -n 's/.*Pending job allocation \([0-9][0-9]*\).*/\1/p')
        scontrol --oneliner show job "$job" >&3
        failed queue half
    fi
    job=$(printf '%s\n' "$said" | sed -n 's/.*Granted job allocation \([0-9][0-9]*\).*/\1/p')
    [ "$status" -eq 0 ] && [ -n "$job" ] || failed allocation half
    export job
    base=$(step --quiet sh -c "$furnish" offload "$base" "$place" "$kind" "$directory" </dev/null)
    case $? in
        0) ;;
        3) failed directory half ;;
        *) failed furnishing half ;;
    esac
    if [ "$kind" = shared ]; then OFFLOAD_WORK=$directory; else OFFLOAD_WORK=$base/$place/work; fi
    export OFFLOAD_WORK
    sh -c "$copy" >&3 || failed copying half
    printf 'offload-created %s\n%s\n' "$job" "$base" >&3
    echo whole
} | setsid sh -c "$watch" offload "$name" "$3" "$place" "$me" "$clear"
"#;

/// Reads what became of a creation: without a word it was cut off. Then what the job `$1` is still to get may come after what
/// is cancelled first.
const WATCH: &str = r#"
read -r word
[ "$word" = whole ] && exit
for job in $(squeue --noheader --user="$4" --name="$1" --states=RUNNING --format=%i 2>/dev/null); do
    brief_step sh -c "$5" offload "$2" "$3" </dev/null >/dev/null 2>&1
done
scancel --user="$4" --name="$1" 2>/dev/null
if [ -z "$word" ]; then
    sleep 1
    scancel --user="$4" --name="$1" 2>/dev/null
fi
:
"#;

/// Runs the command after the third argument in the allocation `$1`, as a step that is called `$2`. srun's own words are kept apart
/// from the command's standard error, whose end is looked at as well: it is where the node's daemon says what it did to the step.
/// Ends as the command ended, or by one of the signals `$3` (out of memory) and the next one (anything else that Slurm did).
const EXEC: &str = r#"
job=$1 exec_id=$2 out_of_memory=$3
shift 3
ulimit -c 0
exec 3>&1 4>&2
said=$(
    {
        { step --job-name="$exec_id" --error=/dev/fd/5 "$@" 5>&1 >&3 2>&6; echo "offload-status $?" >&6; } |
            tee -a /dev/fd/4 | tail -c 2048 | LC_ALL=C sed 's/[^ -~]//g; s/^/stderr: /'
    } 6>&1
)
status=$(printf '%s\n' "$said" | sed -n 's/^offload-status //p')
[ "$status" = 0 ] && exit 0
srun=$(printf '%s\n' "$said" | sed -n '/^offload-status /d; /^stderr: /!p')
stepd=$(printf '%s\n' "$said" | sed -n 's/^stderr: .*\(slurmstepd.*: error: .*\)/\1/p')
case $srun in
    *': Out Of Memory'*) kill -"$out_of_memory" $$ ;;
    *'step aborted'*)
        case $stepd in *'exceeded memory limit'* | *oom*kill*) kill -"$out_of_memory" $$ ;; esac
        kill -$((out_of_memory + 1)) $$
        ;;
    *'Exited with exit code'*) exit "$status" ;;
    *': task 0: '*) kill -$((status - 128)) $$ ;;
esac
printf '%s\n' "$srun" >&2
kill -$((out_of_memory + 1)) $$
"#;

/// Shows the job `$1`, once it is known why it ends if it does.
const SHOW: &str = r#"
tries=0
while said=$(scontrol --oneliner show job "$1" 2>&1); do
    case $said in *JobState=COMPLETING*) ;; *) break ;; esac
    [ "$tries" -lt 50 ] || break
    tries=$((tries + 1))
    sleep 0.1
done
printf '%s\n' "$said"
"#;

/// Runs nothing in the allocation `$1`, to hear what Slurm has against it.
const TRY: &str = r#"
job=$1
step --quiet true </dev/null
"#;

/// Ends the step of the allocation `$1` that is called `$2`, and with `$3` what left it.
const CANCEL: &str = r#"
job=$1
squeue --noheader --steps --jobs="$job" --format='%i %j' 2>/dev/null | while read -r id called; do
    [ "$called" != "$2" ] || scancel --signal=KILL "$id"
done
step --quiet sh -c "$3" </dev/null
"#;

/// Destroys allocations, given as number, base and place of their directories. Prints those that are left.
const DESTROY: &str = r#"
jobs=
for word do
    case $((position = (${position:-0} + 1) % 3)) in
        1) job=$word jobs=$jobs${jobs:+,}$word ;;
        2) base=$word ;;
        0) brief_step sh -c "$clear" offload "$base" "$word" </dev/null >/dev/null 2>&1 & ;;
    esac
done
wait
said=$(echo "$jobs" | tr , ' ' | xargs scancel 2>&1)
# One that is on its way out is Slurm's to finish: epilogs may take long.
states=PENDING,CONFIGURING,RUNNING,SUSPENDED
tries=0
while [ "$tries" -lt 150 ]; do
    ending=; [ "$tries" -ge 50 ] || ending=,COMPLETING
    if ! left=$(squeue --noheader --jobs="$jobs" --states="$states$ending" --format=%i 2>&1); then
        case $left in *'Invalid job id'*) left= ;; *) said=$left left=$jobs; break ;; esac
    fi
    [ -n "$left" ] || break
    tries=$((tries + 1))
    sleep 0.1
done
while [ $# -gt 2 ]; do
    # The directory may be on a file system that this machine shares with a node whose job had already ended.
    sh -c "$clear" offload "$2" "$3"
    shift 3
done
[ -z "$left" ] && exit 0
printf '%s\n' "$said" >&2
echo $left
exit 1
"#;

/// Lists our user's jobs: number, time of submission in seconds since 1970, name.
const LIST: &str = r#"
SLURM_TIME_FORMAT=%s exec squeue --noheader --user="$me" --format='%i %V %j'
"#;

/// Looks whether all is there to make allocations in the partition `$1`. Exit code 3: there is no such program as was printed.
const PREPARE: &str = r#"
for program in salloc srun scancel squeue scontrol timeout setsid; do
    command -v "$program" >/dev/null || { echo "$program"; exit 3; }
done
scontrol ping >&2
scontrol ping | grep -q ' is UP' || exit 4
[ -z "$1" ] || scontrol show partition "$1" >/dev/null
"#;

pub fn create<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let watch = format!("{}{WATCH}", steps());
    script(&[("watch", &watch), ("furnish", &step::furnish()), ("clear", &step::clear())], CREATE, arguments)
}

pub fn exec<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    script(&[], EXEC, arguments)
}

pub fn show(job: &str) -> Command {
    script(&[], SHOW, [job])
}

pub fn try_step(job: &str) -> Command {
    script(&[], TRY, [job])
}

pub fn cancel(job: &str, exec_id: &str, kill: &str) -> Command {
    script(&[], CANCEL, [job, exec_id, kill])
}

pub fn destroy<'a>(triples: impl IntoIterator<Item = &'a str>) -> Command {
    script(&[("clear", &step::clear())], DESTROY, triples)
}

pub fn list() -> Command {
    script(&[], LIST, [])
}

pub fn prepare(partition: Option<&str>) -> Command {
    script(&[], PREPARE, [partition.unwrap_or_default()])
}

/// A script that looks at one thing.
pub fn probe(text: &str, arguments: &[&str]) -> Command {
    script(&[], text, arguments.iter().copied())
}

/// A script that begins with `texts`, scripts that it hands on, in variables of these names.
fn script<'a>(texts: &[(&str, &str)], text: &str, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let texts: String = texts.iter().map(|(name, text)| format!("{name}={}\n", quote(text))).collect();
    let arguments: Vec<&str> = arguments.into_iter().collect();
    Command::script(&format!("{PRELUDE}{}{texts}{text}", steps()), arguments)
}

/// The functions by which scripts run steps in the allocation `$job`; one that tidies up must not keep anybody waiting.
fn steps() -> String {
    format!("step() {{ {STEP} \"$@\"; }}\nbrief_step() {{ timeout --foreground 10 {STEP} --quiet \"$@\"; }}\n")
}
