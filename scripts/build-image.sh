#!/usr/bin/env bash
# Builds the image of deploy/container with Buildah, as root on Debian, and writes its files and its configuration to
# .cache/image/root and .cache/image/config.json, from which packages/e2e/src/image.image.test.ts starts it.
#
#   scripts/build-image.sh DIR  # with the tarballs in DIR/packages
#   scripts/build-image.sh      # builds and packs HEAD in the image's own stage, and also builds the image of btfctl
#
# No registry is needed: the base images are stand-ins, made from a Debian root, Node from npm, and this machine's npm.
set -euo pipefail

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
IMAGE=$REPOSITORY/.cache/image
FILE=deploy/container/Containerfile
NODE=node-linux-$(node --print process.arch)
source "$REPOSITORY/scripts/debian-root.sh"

main() {
  local node_base cc_base context
  mkdir -p "$IMAGE"
  make_base bookworm
  node_base=$(base_of ':24-bookworm')
  cc_base=$(base_of 'cc-debian12')
  has_image "$node_base" || make_node_base "$node_base"
  has_image "$cc_base" || make_cc_base "$cc_base"
  context=$(mktemp -d)
  trap "rm -rf '$context'" EXIT
  if [ $# -gt 0 ]; then
    build btfd --build-context "packages=$1" "$context"
  else
    git clone -q --no-hardlinks "$REPOSITORY" "$context"
    # Only to see that it can be built.
    build btfctl --target btfctl "$context"
    in_store rmi btfctl >/dev/null
    build btfd "$context"
  fi
  write_image btfd
}

# The base images have the names in the Containerfile, so that Buildah does not ask a registry for them.
base_of() {
  grep --only-matching --max-count=1 "[^ ]*$1[^ ]*" "$REPOSITORY/$FILE"
}

in_store() {
  buildah --root "$IMAGE/store" --runroot "$IMAGE/run" --storage-driver overlay "$@"
}

has_image() {
  in_store inspect --type image "$1" >/dev/null 2>&1
}

build() {
  local tag=$1
  shift
  in_store build --isolation chroot --pull-never --file "$REPOSITORY/$FILE" --tag "$tag" "$@"
}

# make_node_base NAME: Debian with a compiler, and Node 24 as npm has it, in /usr/local like in the image of Node.
make_node_base() {
  local container root nodes config
  nodes=$(mktemp -d)
  npm install --silent --prefix "$nodes" --force "$NODE@24" >/dev/null
  container=$(in_store from scratch)
  root=$(in_store mount "$container")
  cp -a "$ROOTS/bookworm/." "$root/"
  cp -a "$nodes/node_modules/$NODE"/{bin,include,share} "$root/usr/local/"
  rm -rf "$nodes"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
  copy_network "$root"
  config=$(npm config get globalconfig)
  [ ! -e "$config" ] || install -D "$config" "$root/usr/local/etc/npmrc"
  # Its headers are in /usr/local, wherever those of this machine are.
  [ ! -e "$root/root/.npmrc" ] || sed -i '/^nodedir=/d' "$root/root/.npmrc"
  in_store config ${NODE_EXTRA_CA_CERTS:+--env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt} "$container"
  commit "$container" "$1"
}

# make_cc_base NAME: only the C and C++ libraries.
make_cc_base() {
  local container root path
  container=$(in_store from scratch)
  root=$(in_store mount "$container")
  mkdir -p "$root"/usr/{bin,lib,lib64,sbin}
  for path in bin lib lib64 sbin; do ln -s "usr/$path" "$root/$path"; done
  chroot "$ROOTS/bookworm" dpkg --listfiles libc6 libgcc-s1 libstdc++6 |
    while read -r path; do [ -d "$ROOTS/bookworm$path" ] || echo ".$path"; done | sort -u |
    tar --directory "$ROOTS/bookworm" --create --no-recursion --files-from - | tar --directory "$root" --extract
  commit "$container" "$1"
}

commit() {
  in_store umount "$1" >/dev/null
  in_store commit --quiet --rm "$1" "$2" >/dev/null
}

write_image() {
  local container
  container=$(in_store from --pull-never "$1")
  rm -rf "$IMAGE/root"
  cp -a "$(in_store mount "$container")" "$IMAGE/root"
  in_store rm "$container" >/dev/null
  in_store inspect --type image "$1" |
    node --print 'JSON.stringify(JSON.parse(fs.readFileSync(0, "utf8")).OCIv1.config)' >"$IMAGE/config.json"
  # The base images stay for the next run, but no layers of this image.
  in_store rmi "$1" >/dev/null
  # One that had the name before, if a run was interrupted.
  in_store rmi --prune >/dev/null
}

main "$@"
