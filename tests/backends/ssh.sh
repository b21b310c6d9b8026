#!/bin/sh
# Hosts that ssh reaches: sshd on loopback, and some more in network namespaces behind a bridge, all on this machine.
#
#   tests/backends/ssh.sh up      starts them and writes what tests need to `env`
#   tests/backends/ssh.sh down    ends them
#
# Every host has a TMPDIR of its own, where tests find what was left there. `one`, `two` and `three` are for tests that do them
# no harm; the others are each for the one test that breaks it. Exit code 3: they cannot be had here, and the line says why.
set -eu

base=${CARGO_TARGET_DIR:-$(cd "$(dirname "$0")/../.." && pwd)/target}/backends/ssh
unbroken="one two three"
breakable="refusing cutting severing restarting hurried"

# Several checkouts may have their hosts up at once: names, addresses and the port come from the place.
number=$(printf %s "$base" | cksum | cut -d ' ' -f 1)
tag=$((number % 10000))
network=10.$((64 + number % 64)).$((number / 64 % 250))
port=$((20000 + number % 20000))
bridge=offssh$tag
sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || sshd=

unavailable() {
    echo "$1"
    exit 3
}

namespace_of() {
    echo "offload-ssh-$tag-$1"
}

address_of() {
    position=10
    for known in $unbroken $breakable; do
        [ "$known" != "$1" ] || echo "$network.$position"
        position=$((position + 1))
    done
}

configure() { # name, address, port, MaxSessions
    mkdir -p "$base/$1/tmp"
    cat >"$base/$1/sshd_config" <<CONFIG
ListenAddress $2
Port $3
HostKey $base/host_key
AuthorizedKeysFile $base/authorized_keys
PidFile $base/$1/pid
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
UseDNS no
PrintMotd no
MaxSessions $4
MaxStartups 200:30:400
SetEnv TMPDIR=$base/$1/tmp
CONFIG
    cat >>"$base/ssh_config" <<CONFIG
Host $1
  HostName $2
  Port $3
CONFIG
}

prepare_place() {
    mkdir -p "$base" /run/sshd
    [ -f "$base/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$base/host_key"
    [ -f "$base/id" ] || ssh-keygen -q -t ed25519 -N '' -f "$base/id"
    cp "$base/id.pub" "$base/authorized_keys"
    chmod 600 "$base/authorized_keys"
    : >"$base/ssh_config"
    configure loopback 127.0.0.1 "$port" 10
    for name in $unbroken $breakable; do
        configure "$name" "$(address_of "$name")" 22 10
    done
    cat >>"$base/ssh_config" <<CONFIG
Host absent
  HostName 127.0.0.1
  Port 1
Host stranger
  HostName 127.0.0.1
  Port $port
  UserKnownHostsFile $base/wrong_known_hosts
  StrictHostKeyChecking yes
Host locked-out
  HostName 127.0.0.1
  Port $port
  User root
  IdentityFile none
  PubkeyAuthentication no
Host *
  User $(id -un)
  IdentityFile $base/id
  IdentitiesOnly yes
  UserKnownHostsFile $base/known_hosts
  StrictHostKeyChecking accept-new
CONFIG
    : >"$base/known_hosts"
    echo "[127.0.0.1]:$port ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
        >"$base/wrong_known_hosts"
}

connect() { # the namespace of a host, to the bridge
    namespace=$(namespace_of "$1")
    address=$(address_of "$1")
    # Names of interfaces are short.
    outside=os$tag-${address##*.}
    ip netns add "$namespace"
    ip link add "$outside" type veth peer name inside netns "$namespace"
    ip link set "$outside" master "$bridge" up
    ip -n "$namespace" address add "$address/24" dev inside
    ip -n "$namespace" link set inside up
    ip -n "$namespace" link set lo up
}

answers() {
    for name in loopback $unbroken $breakable; do
        ssh -F "$base/ssh_config" -o BatchMode=yes -o ConnectTimeout=5 "$name" true </dev/null || return 1
    done
}

up() {
    [ -n "$sshd" ] || unavailable "there is no sshd: on Debian and Ubuntu \`apt-get install openssh-server\` brings it"
    command -v ssh >/dev/null || unavailable "there is no ssh: on Debian and Ubuntu \`apt-get install openssh-client\` brings it"
    command -v ip >/dev/null || unavailable "there is no ip: on Debian and Ubuntu \`apt-get install iproute2\` brings it"
    [ "$(id -u)" -eq 0 ] || unavailable "only root may make network namespaces and start sshd in them"
    if [ -f "$base/env" ] && answers 2>/dev/null; then
        return
    fi
    down
    ip link add "$bridge" type bridge 2>/dev/null || unavailable "no network bridge can be made here"
    ip address add "$network.1/24" dev "$bridge"
    ip link set "$bridge" up
    prepare_place
    "$sshd" -f "$base/loopback/sshd_config" -E "$base/loopback/log"
    for name in $unbroken $breakable; do
        connect "$name"
        ip netns exec "$(namespace_of "$name")" "$sshd" -f "$base/$name/sshd_config" -E "$base/$name/log"
    done
    tries=0
    until answers 2>"$base/answers.log"; do
        tries=$((tries + 1))
        if [ "$tries" -ge 20 ]; then
            cat "$base/answers.log"
            exit 1
        fi
        sleep 0.5
    done
    {
        echo "config=$base/ssh_config"
        echo "place=$base"
        echo "namespaces=offload-ssh-$tag"
        echo "sshd=$sshd"
    } >"$base/env"
}

down() {
    rm -f "$base/env"
    for name in loopback $unbroken $breakable; do
        if [ -f "$base/$name/pid" ]; then
            kill "$(cat "$base/$name/pid")" 2>/dev/null || true
            rm -f "$base/$name/pid"
        fi
        ip netns delete "$(namespace_of "$name")" 2>/dev/null || true
    done
    ip link delete "$bridge" 2>/dev/null || true
}

case ${1-} in
up) up ;;
down) down ;;
*)
    echo "usage: $0 up|down" >&2
    exit 2
    ;;
esac
