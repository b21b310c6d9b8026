#!/bin/sh
# podman with all its state below the target directory, its Docker-compatible socket, and two images that need no network.
# Debian's packages: podman runc netavark aardvark-dns uidmap conmon catatonit busybox-static
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
target=${CARGO_TARGET_DIR:-$here/../../target}
state=$target/backends/podman
busybox_image=localhost/offload-test-busybox
venv=$target/pytest-venv

unavailable() {
    echo "$1"
    exit 3
}

check_programs() {
    [ "$(uname)" = Linux ] || unavailable "podman's containers need Linux"
    [ "$(id -u)" = 0 ] || unavailable "podman is set up for root here, since nested containers need more otherwise"
    for program in podman runc conmon busybox; do
        command -v "$program" >/dev/null || unavailable "$program is missing"
    done
    [ -x "$venv/bin/python" ] || unavailable "$venv is missing: \`cargo xtask test\` makes it"
    # Another pytest makes another image.
    python_image=localhost/offload-test-python:$(ls "$venv"/lib/*/site-packages | cksum | cut -d ' ' -f 1)
}

# crun wants more of its surroundings than nested containers have, and so do the default limits and networks.
configure() {
    mkdir -p "$state"
    cat >"$state/storage.conf" <<CONF
[storage]
driver = "$1"
runroot = "$state/run"
graphroot = "$state/graph"
CONF
    cat >"$state/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=20000:20000","nproc=30000:30000"]
netns = "none"
[engine]
events_logger = "file"
runtime = "runc"
cgroup_manager = "cgroupfs"
[network]
network_backend = "netavark"
CONF
    export CONTAINERS_STORAGE_CONF="$state/storage.conf" CONTAINERS_CONF="$state/containers.conf"
}

# A root file system of nothing but busybox.
add_busybox() {
    mkdir -p "$1/bin" "$1/usr/bin" "$1/etc" "$1/root" "$1/proc" "$1/sys" "$1/dev"
    mkdir -p -m 1777 "$1/tmp"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for name in $(busybox --list); do
        [ "$name" = busybox ] || ln -sf /bin/busybox "$1/bin/$name"
    done
    echo root:x:0:0:root:/root:/bin/sh >"$1/etc/passwd"
    echo nobody:x:65534:65534:nobody:/:/bin/sh >>"$1/etc/passwd"
    echo root:x:0: >"$1/etc/group"
}

# The interpreter that the tests use on this machine, with what it is linked to, at the paths that it has here; its pytest, wherever
# such an interpreter looks for packages, in a directory of its own.
add_python() {
    "$venv/bin/python" - "$1" <<'PYTHON'
import os, re, shutil, subprocess, sys, sysconfig

root, paths = sys.argv[1], sysconfig.get_paths()

def linked(file):
    out = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
    return re.findall(r"(/\S+) \(0x", out)

def copy(file):
    os.makedirs(root + os.path.dirname(file), exist_ok=True)
    if not os.path.exists(root + file):
        shutil.copy2(os.path.realpath(file), root + file)

ignored = shutil.ignore_patterns("test", "tests", "idlelib", "ensurepip", "tkinter", "lib2to3", "site-packages", "config-*", "*.a", "turtledemo")
library = paths["stdlib"]
interpreter = os.path.realpath(sys.executable)
shutil.copytree(library, root + library, ignore=ignored, symlinks=True, dirs_exist_ok=True)
unwanted = shutil.ignore_patterns("pip", "pip-*", "setuptools*", "pkg_resources", "_distutils_hack", "*.pth")
shutil.copytree(paths["purelib"], root + "/usr/lib/offload-test", ignore=unwanted)
copy(interpreter)
dynamic = library + "/lib-dynload"
objects = [os.path.join(dynamic, name) for name in os.listdir(dynamic)] if os.path.isdir(dynamic) else []
for file in {found for object in [interpreter, *objects] for found in linked(object)}:
    copy(file)
os.symlink(interpreter, root + "/usr/bin/python3")
PYTHON
}

build_image() {
    podman image exists "$1" && return
    root=$(mktemp -d "$state/image-XXXXXX")
    chmod 755 "$root"
    add_busybox "$root"
    [ "$1" = "$busybox_image" ] || add_python "$root"
    tar -C "$root" -cf "$root.tar" .
    podman import --quiet --change ENV=PYTHONPATH=/usr/lib/offload-test "$root.tar" "$1" >/dev/null
    rm -rf "$root" "$root.tar"
}

runs() {
    [ -f "$state/pid" ] && kill -0 "$(cat "$state/pid")" 2>/dev/null
}

up() {
    check_programs
    configure overlay
    if ! podman info >/dev/null 2>&1; then
        # Where the target directory is itself on an overlay.
        rm -rf "$state/graph" "$state/run"
        configure vfs
    fi
    build_image "$busybox_image"
    build_image "$python_image"
    # What earlier tests had built.
    podman image prune --all --force --filter label=offload.image >/dev/null
    # A socket's path has to be short.
    [ -f "$state/socket" ] || mktemp -d /tmp/offload-podman-XXXXXX >"$state/socket"
    directory=$(cat "$state/socket")
    mkdir -p "$directory"
    if ! runs; then
        rm -f "$directory/podman.sock"
        # In its own directory, since what watches a container notes there that it ran out of memory.
        (cd "$state" && exec setsid podman system service --time=0 "unix://$directory/podman.sock") \
            >"$state/service.log" 2>&1 </dev/null &
        echo "$!" >"$state/pid"
        waited=0
        until [ -S "$directory/podman.sock" ]; do
            runs && [ "$waited" -lt 300 ] || { cat "$state/service.log"; exit 1; }
            sleep 0.1
            waited=$((waited + 1))
        done
    fi
    {
        echo "CONTAINERS_STORAGE_CONF=$CONTAINERS_STORAGE_CONF"
        echo "CONTAINERS_CONF=$CONTAINERS_CONF"
        echo "DOCKER_HOST=unix://$directory/podman.sock"
        echo "busybox_image=$busybox_image"
        echo "python_image=$python_image"
    } >"$state/env.new"
    mv "$state/env.new" "$state/env"
}

down() {
    rm -f "$state/env"
    if runs; then kill "$(cat "$state/pid")"; fi
    rm -f "$state/pid"
    [ ! -f "$state/socket" ] || rm -rf "$(cat "$state/socket")" "$state/socket"
    # What is still mounted would keep the directory from being removed.
    real=$(cd "$state" && pwd -P)
    while read -r _ place _; do
        case $place in "$real"/*) umount --lazy "$place" || : ;; esac
    done </proc/mounts
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *)
        echo "usage: $0 up|down" >&2
        exit 64
        ;;
esac
