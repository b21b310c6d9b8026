#!/bin/sh
# A Slurm cluster of one node on loopback, for tests: `slurm.sh up [NAME]`, `slurm.sh down [NAME]`. A test that stops daemons has a
# cluster of its own under another name than `slurm`. On Debian and Ubuntu `apt-get install slurm-wlm munge` brings what it needs.
set -eu

verb=${1:-}
name=${2:-slurm}
root=$(cd "$(dirname "$0")/../.." && pwd)
home=${CARGO_TARGET_DIR:-$root/target}/backends/$name

missing() {
    echo "$1"
    exit 3
}

# Whether the process that a file names runs, and is the program that it is meant to be.
runs() {
    [ -s "$home/$1.pid" ] && [ "$(cat "/proc/$(cat "$home/$1.pid")/comm" 2>/dev/null)" = "$1" ]
}

# Waits for ten seconds until a command succeeds.
await() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

# Two ports that nobody listens at, always the same ones if they are free: clusters of several checkouts live side by side.
free_ports() {
    port=$((20000 + $(printf %s "$home" | cksum | cut -d ' ' -f 1) % 4000 * 2))
    while grep -Eqi "^ *[0-9]+: [0-9A-F]+:($(printf '%04X|%04X' "$port" $((port + 1)))) " /proc/net/tcp; do
        port=$((port + 2))
    done
}

configure() {
    free_ports
    host=$(hostname -s)
    cat >"$home/slurm.conf" <<CONF
ClusterName=$name
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$munge/socket
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/spool
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/slurmd.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0
# Without cgroups: the memory of a step is looked at each second, and the step ended if it has too much.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
ReturnToService=2
KillWait=1
InactiveLimit=0
# The node has as many processors as tests want, whatever the machine has.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=64 RealMemory=64000 State=UNKNOWN
DefMemPerCPU=200
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=ALL MaxTime=1 State=UP
CONF
}

start_munge() {
    runs munged && return
    # munged does not run as root; nobody else may write to where its key and its socket are.
    munge=$(mktemp -d "/run/$name-XXXXXX")
    echo "$munge" >"$home/munge"
    head -c 1024 /dev/urandom >"$munge/key"
    chown -R munge: "$munge"
    chmod 755 "$munge"
    chmod 600 "$munge/key"
    setpriv --reuid=munge --regid=munge --clear-groups munged --key-file="$munge/key" --socket="$munge/socket" \
        --pid-file="$munge/pid" --log-file="$munge/log" --seed-file="$munge/seed"
    cp "$munge/pid" "$home/munged.pid"
    configure
}

up() {
    for program in slurmctld slurmd munged setpriv; do
        command -v "$program" >/dev/null || missing "$program is not installed: apt-get install slurm-wlm munge"
    done
    [ "$(id -u)" -eq 0 ] || missing "slurmd starts processes of other users, which takes root"
    [ -r /proc/net/tcp ] || missing "there is no /proc of Linux"
    mkdir -p "$home/state" "$home/spool"
    start_munge
    munge=$(cat "$home/munge")
    export SLURM_CONF="$home/slurm.conf"
    runs slurmctld || slurmctld -f "$SLURM_CONF"
    await scontrol ping || { tail -n 20 "$home/slurmctld.log"; exit 1; }
    runs slurmd || slurmd -f "$SLURM_CONF"
    await srun --time=1 true || { tail -n 20 "$home/slurmctld.log" "$home/slurmd.log"; exit 1; }
    printf 'SLURM_CONF=%s\n' "$SLURM_CONF" >"$home/env"
}

down() {
    rm -f "$home/env"
    for daemon in slurmctld slurmd munged; do
        if runs "$daemon"; then
            pid=$(cat "$home/$daemon.pid")
            kill "$pid"
            await [ ! -d "/proc/$pid" ] || kill -9 "$pid"
        fi
    done
    # What a job's step was about may be over, and its daemon still try to tell a controller that is gone.
    for process in $(grep -lx slurmstepd /proc/[0-9]*/comm 2>/dev/null); do
        process=${process%/comm}
        if ls -l "$process/fd" 2>/dev/null | grep -qF " $home/slurmd.log"; then kill -9 "${process#/proc/}"; fi
    done
    if [ -s "$home/munge" ]; then rm -rf "$(cat "$home/munge")"; fi
    rm -rf "$home"
}

case $verb in
    up) up ;;
    down) down ;;
    *)
        echo "usage: $0 up|down [NAME]" >&2
        exit 2
        ;;
esac
