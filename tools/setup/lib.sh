# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - what the setup and VM scripts share: messages, the cache, locks.
#
# The cache lives outside the checkout, so that a clean clone reuses kernels
# that took minutes to fetch or build.  Everything in it appears by a rename
# and never changes afterwards: whoever sees a path may use it without a lock.
# Writers take the lock of what they make; a second one waits and finds it done.

# shellcheck disable=SC2034 # for those who source this file
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${QUARRY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/quarry}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

# What apt is told by those who want another release than the machine's own.
declare -a apt_options=()

# Exit status of every script here when its input or the host is at fault.
exit_setup=2

say()
{
	printf 'quarry: %s\n' "$*" >&2
}

die()
{
	say "$*"
	exit "$exit_setup"
}

# The kernel's make takes no folder whose path it would have to quote.
for folder in "$top" "$cache"; do
	[[ $folder != *[[:space:]:]* ]] ||
		die "the path \"$folder\" has a space or a colon in it, which the kernel's build cannot cope with: use another folder (for the cache: QUARRY_CACHE)"
done
unset folder

# need_space DIR MB: one clear sentence before a step, not a half-written
# file in the middle of it.
need_space()
{
	local dir=$1 need=$2 have

	have=$(df --output=avail -m "$dir" | tail -1)
	((have >= need)) ||
		die "no disk space: $dir has $have MB free, $need MB are needed"
}

# make_cache: the cache must exist and be ours before anything is put there.
make_cache()
{
	mkdir -p "$cache/kernels" 2>/dev/null || true
	[[ -w $cache/kernels ]] ||
		die "cannot write to the cache $cache (set QUARRY_CACHE to another folder)"
}

# lock_cache NAME: hold the lock NAME until this process ends.
lock_cache()
{
	exec {lock_fd}>"$cache/.lock-$1"
	flock -n "$lock_fd" && return
	say "waiting for another process that prepares $1"
	flock "$lock_fd"
}

# scratch: a fresh folder in the cache, removed when the script ends.
scratch()
{
	work=$(mktemp -d "$cache/.tmp-XXXXXX")
	trap 'rm -rf "$work"' EXIT
}

refresh_lists()
{
	[[ $(id -u) == 0 ]] || return 0
	say "refreshing the package lists"
	apt-get -q -o DPkg::Lock::Timeout=600 update >"$work/update.log" 2>&1 ||
		say "apt-get update failed, going on with the lists there are"
}

# fetch_debs PACKAGE...: download and unpack into $work/root, install nothing.
# Lists older than the archive make apt ask for files that are gone: refresh
# them once, then give up.
fetch_debs()
{
	mkdir -p "$work/deb" "$work/root"
	(cd "$work/deb" && apt-get -q "${apt_options[@]}" download "$@") >"$work/fetch.log" 2>&1 || {
		refresh_lists
		(cd "$work/deb" && apt-get -q "${apt_options[@]}" download "$@") >"$work/fetch.log" 2>&1
	} || {
		sed -n '/^E:/p' "$work/fetch.log" | head -3 >&2
		die "cannot fetch $*: is there a network, and a package archive?"
	}
	local deb
	for deb in "$work"/deb/*.deb; do
		dpkg -x "$deb" "$work/root"
	done
	rm -rf "$work/deb"
}

# candidate PACKAGE: the version apt would fetch, empty if it knows none.
candidate()
{
	apt-cache "${apt_options[@]}" policy "$1" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# depends PACKAGE PREFIX: the first dependency whose name begins with PREFIX.
depends()
{
	apt-cache "${apt_options[@]}" depends "$1" 2>/dev/null |
		awk -v p="$2" '/Depends:/ && index($2, p) == 1 { print $2; exit }'
}
