# Functions for scripts that make Debian roots, as root on Debian. To be sourced.

ROOTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.cache/roots

# make_base SUITE makes .cache/roots/SUITE, with what README's commands need except Node, if it does not exist.
make_base() {
  local suite=$1 mirror
  [ ! -d "$ROOTS/$suite" ] || return 0
  command -v debootstrap >/dev/null || apt-get -qq install --no-install-recommends debootstrap >/dev/null
  mkdir -p "$ROOTS"
  rm -rf "$ROOTS/$suite.new"
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' | awk '$1 == "Debian" && $3 !~ /-/ { print $2; exit }')
  debootstrap --variant=minbase --include=ca-certificates,g++,git,make,python3 "$suite" "$ROOTS/$suite.new" "$mirror" >/dev/null
  rm -f "$ROOTS/$suite.new"/var/cache/apt/archives/*.deb
  mv "$ROOTS/$suite.new" "$ROOTS/$suite"
}

# copy_network ROOT writes into a root how this machine reaches npm's registry and Debian's mirror.
copy_network() {
  local root=$1 file
  mkdir -p "$root"/{root,etc/apt/apt.conf.d}
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt /etc/apt/auth.conf.d "$(npm config get globalconfig)"; do
    [ ! -e "$file" ] || (mkdir -p "$(dirname "$root$file")" && cp -rLT "$file" "$root$file")
  done
  apt-config dump Acquire >"$root/etc/apt/apt.conf.d/99machine"
  [ ! -e ~/.npmrc ] || cp ~/.npmrc "$root/root/.npmrc"
}
