#!/usr/bin/env bash
# Boots a private systemd in its own namespaces and control groups, with btfd installed as docs/operations.md
# describes. It leaves nothing when it ends. Needs root.
#
#   private-systemd.sh REPOSITORY NODE_PREFIX FOLDER
#
# REPOSITORY must be built, NODE_PREFIX has bin/node, and FOLDER receives the text of the console.
set -euo pipefail

hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2, $3, $4 }' /proc/mounts; }

outside() {
  local name="btfd-test-$$" point
  mapfile -t points < <(hierarchies | cut -d' ' -f1)
  trap "remove_groups '$name'" EXIT
  for point in "${points[@]}"; do
    mkdir "$point/$name"
    # A cpuset group accepts no process before it has these.
    if [ -e "$point/$name/cpuset.mems" ] && [ -w "$point/$name/cpuset.mems" ] && [ -e "$point/cpuset.mems" ]; then
      cat "$point/cpuset.cpus" > "$point/$name/cpuset.cpus"
      cat "$point/cpuset.mems" > "$point/$name/cpuset.mems"
    fi
  done
  (
    for point in "${points[@]}"; do echo "$BASHPID" > "$point/$name/cgroup.procs"; done
    # Ends after 300 s even if nobody ends it.
    exec timeout --signal=KILL 300 unshare --mount --pid --cgroup --ipc --uts --fork --kill-child --mount-proc \
      bash "$0" inside "$(hierarchies)" "$@"
  ) || true
}

# Removes the groups, which are in use until the last process of the namespace is gone.
remove_groups() {
  local point try
  for try in {1..50}; do
    for point in "${points[@]}"; do
      [ ! -d "$point/$1" ] || find "$point/$1" -depth -type d -exec rmdir {} \; 2> /dev/null || true
    done
    [ -n "$(compgen -G "${points[0]}/$1")$(compgen -G "${points[-1]}/$1")" ] || return 0
    sleep 0.1
  done
}

inside() {
  local groups=$1 repository=$2 node=$3 folder=$4 point type options unit
  mount -t tmpfs none /run
  mkdir -p /run/test
  mount -t tmpfs none /run/test
  mkdir -p /run/test/{etc,etc-work,bin,bin-work,no-units,out} /run/systemd/system /run/lock
  mount --bind "$folder" /run/test/out
  : > /run/test/out/console
  mount --bind /run/test/out/console /dev/console
  mount -t tmpfs none /opt
  mkdir /opt/btfd /opt/node
  mount --bind "$repository" /opt/btfd
  mount --bind "$node" /opt/node
  mount -t overlay none -o lowerdir=/etc,upperdir=/run/test/etc,workdir=/run/test/etc-work /etc
  mount -t overlay none -o lowerdir=/usr/bin,upperdir=/run/test/bin,workdir=/run/test/bin-work /usr/bin

  umount -R /sys/fs/cgroup
  mount -t tmpfs none /sys/fs/cgroup
  while read -r point type options; do
    mkdir -p "$point"
    if [ "$type" = cgroup2 ]; then mount -t cgroup2 none "$point"; else
      mount -t cgroup -o "$(sed 's/\(rw\|relatime\|nosuid\|nodev\|noexec\),//g; s/,\(rw\|relatime\)$//' <<< "$options")" none "$point"
    fi
  done <<< "$groups"

  # Hides the services of the machine.
  mount -t tmpfs none /etc/systemd/system
  mount --bind /run/test/no-units /usr/lib/systemd/system
  for unit in sysinit basic sockets multi-user shutdown; do
    printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$unit" > "/etc/systemd/system/$unit.target"
  done

  # Installs btfd as an administrator would.
  ln -sf /opt/node/bin/node /usr/bin/node
  ln -s /opt/btfd/packages/server/bin/btfd.js /usr/bin/btfd
  ln -s /opt/btfd/packages/cli/bin/btfctl.js /usr/bin/btfctl
  systemd-sysusers /opt/btfd/deploy/systemd/sysusers.conf > /run/test/out/sysusers 2>&1
  cp /opt/btfd/deploy/systemd/{btfd.service,btfd.socket,btfd-fd.socket,btfd-register.service} /etc/systemd/system/
  mkdir -p /etc/systemd/system/sockets.target.wants
  ln -s ../btfd.socket /etc/systemd/system/sockets.target.wants/btfd.socket
  exec env -i container=btfd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=sockets.target --log-target=console
}

if [ "$1" = inside ]; then
  shift
  inside "$@"
else
  outside "$@"
fi
