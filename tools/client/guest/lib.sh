# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
#
# lib.sh - what the tests of clients share, in the guest.

die()
{
	echo "$*"
	exit 1
}

# load: the modules of /clients in their order.
load()
{
	for module in /clients/*.ko; do
		case $module in *brd.ko) set -- rd_nr=1 rd_size=327680 ;; *) set -- ;; esac
		insmod "$module" "$@" || { dmesg | tail -5; die "$module cannot be loaded"; }
	done
}

# unload: the same in reverse. Those that quarry serves must go; of the kernel's own some may be
# in use by others.
unload()
{
	for module in $(find /clients -name '*.ko' | sort -r); do
		name=$(basename "$module" .ko)
		name=$(echo "${name#*-}" | tr - _)
		[ -e "/sys/module/quarry/holders/$name" ] || continue
		rmmod "$name" || die "$name cannot be unloaded"
	done
}

# served CACHE: quarry has objects of it out.
served()
{
	awk -v name="$1" '$1 == name && $3 { found = 1 } END { exit !found }' \
		/sys/kernel/debug/quarry/slabinfo || die "quarry has no objects of $1 out"
}

# nothing_left: after the last client has gone nothing of it is out, and all is sound. What caches
# and lists keep goes back a moment later.
nothing_left()
{
	tries=0
	while [ "$(quarryctl stat --raw --bytes --noheadings -o ALLOCATED default)" != 0 ]; do
		tries=$((tries + 1))
		[ $tries -le 20 ] || {
			quarryctl caches
			quarryctl leaks 2>&1 | head -20
			die "pages of the pool are out"
		}
		quarryctl shrink default >/dev/null
		sleep 0.1
	done
	quarryctl validate || die "the pool is not sound"
	rmmod quarry
	! dmesg | grep -E 'are out|freed by the kernel' || die "quarry has something to say"
}
