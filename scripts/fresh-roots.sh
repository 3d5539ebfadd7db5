#!/usr/bin/env bash
# Runs both commands of README.md, `start` and `test`, in a fresh clone of this repository's HEAD, in fresh Debian
# roots that have Node, npm, python3, make, g++ and git. As root on Debian.
#
#   scripts/fresh-roots.sh                       # all of them
#   scripts/fresh-roots.sh bookworm trixie-user  # some
#   scripts/fresh-roots.sh bookworm -- systemd   # arguments of the test command
#
# SUITE          root: `test` installs its tools, so that nothing may be skipped
# SUITE-oracles  root with bpftool and pahole alone, from fetch-tools.js: `test --no-install`
# SUITE-tmux     root with tmux alone: `test --no-install`
# SUITE-user     an ordinary user
#
# The base of each suite is kept in .cache/roots, each run works on an overlay of it, and the kernel removes mounts and
# processes when the script ends. Node, and how to reach npm's registry and Debian's mirror, are this machine's.
set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CLONE=/srv/btfd
source "$REPOSITORY/scripts/debian-root.sh"

main() {
  local names=() name
  while [ $# -gt 0 ] && [ "$1" != -- ]; do names+=("$1") && shift; done
  [ $# -eq 0 ] || shift
  [ ${#names[@]} -gt 0 ] || names=({bookworm,trixie}{,-oracles,-tmux,-user})
  for name in "${names[@]}"; do
    printf '\n== fresh root: %s\n' "$name"
    make_base "${name%%-*}"
    RUN=$(mktemp -d "$ROOTS/run-XXXXXX")
    trap clean_up EXIT
    trap 'exit 1' INT TERM
    prepare "$RUN"
    # Not in the foreground, where a signal would wait for its end.
    unshare --mount --pid --fork --kill-child=SIGKILL bash "$0" --inside "$RUN" "$name" "$@" &
    wait $!
    clean_up
  done
}

# Its mounts and processes end with it.
clean_up() {
  local child
  # unshare ignores other signals while its child runs.
  for child in $(jobs -p); do kill -KILL "$child" && wait "$child" || true; done
  rm -rf "$RUN"
}

# Writes what a root has more than its base into the upper folder of its overlay.
prepare() {
  local upper=$1/upper prefix file
  mkdir -p "$1"/{upper,work,root} "$upper/srv"
  git clone -q --no-hardlinks "$REPOSITORY" "$upper$CLONE"
  prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  for file in bin/node bin/npm bin/npx lib/node_modules/npm include/node; do
    [ ! -e "$prefix/$file" ] || (mkdir -p "$(dirname "$upper$prefix/$file")" && cp -a "$prefix/$file" "$upper$prefix/$file")
  done
  copy_network "$upper"
}

# In namespaces of mounts and processes of its own.
inside() {
  local run=$1 name=$2 suite=${2%%-*} kind root=$1/root
  shift 2
  kind=${name#"$suite"}
  mkdir -p "$ROOTS/archives-$suite"
  mount -t overlay none -o "lowerdir=$ROOTS/$suite,upperdir=$run/upper,workdir=$run/work" "$root"
  mount -t proc proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount --bind "$ROOTS/archives-$suite" "$root/var/cache/apt/archives"
  # Not chroot: processes that enter these namespaces, as tests do, find the new root too.
  mkdir "$root/old"
  cd "$root"
  pivot_root . old
  umount -l old
  rmdir old

  local home=/root as=() tools=() options=()
  case $kind in
    '') tools=(BTFD_REQUIRE_TOOLS=1) ;;
    -oracles)
      in_root node "$CLONE/scripts/fetch-tools.js"
      options=(--no-install)
      ;;
    -tmux)
      in_root apt-get -qq update
      in_root apt-get -qq install --no-install-recommends tmux >/dev/null
      options=(--no-install)
      ;;
    -user)
      home=/home/someone
      in_root useradd --create-home someone
      [ ! -e /root/.npmrc ] || cp /root/.npmrc "$home/"
      in_root chown -R someone: "$home" "$CLONE"
      as=(setpriv --reuid=someone --regid=someone --init-groups --inh-caps=-all --bounding-set=-all --no-new-privs)
      ;;
    *) echo "there is no root $name" >&2 && exit 1 ;;
  esac
  in_root "${as[@]}" env "HOME=$home" "${tools[@]}" bash -euc "$(declare -f commands); commands \"\$@\"" bash "$CLONE" "${options[@]}" "$@"
}

in_root() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${NODE_EXTRA_CA_CERTS:+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} "$@"
}

# README's commands, in the root.
commands() {
  local log start
  cd "$1"
  shift
  log=$(mktemp)
  setsid npx --yes pnpm@12 start >"$log" 2>&1 &
  start=$!
  for _ in {1..300}; do
    ! grep -q '^try next: ' "$log" || break
    kill -0 "$start" 2>/dev/null || break
    sleep 1
  done
  kill -- "-$start" || true
  wait "$start" || true
  sed -n '/^btfd /,$p' "$log"
  if ! grep -q '^try next: ' "$log"; then
    cat "$log"
    echo 'start failed'
    exit 1
  fi
  npx --yes pnpm@12 test "$@"
}

if [ "${1:-}" = --inside ]; then
  shift
  inside "$@"
else
  main "$@"
fi
