# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# sid.sh - the packages of Debian sid on a machine that runs an older Debian.
#
# Nothing of them is installed and nothing needs a chroot.  apt reads sid's lists
# into a folder of our own, from the archive that this machine uses already.  The
# headers of a kernel in sid want sid's compiler, and the programs beside them want
# sid's C library: they are unpacked together, and a line of shell in the place of
# each program runs it with the loader and the libraries that lie there too.
#
# For those who source lib.sh and call its scratch, which sets $work.
# shellcheck disable=SC2154

# use_sid: from here on apt_options make apt look into sid alone, whose lists are in
# $work/apt.
use_sid()
{
	local archive dir=$work/apt

	archive=$(debian_archive)
	if [[ -z $archive ]]; then
		refresh_lists
		archive=$(debian_archive)
	fi
	[[ $archive ]] ||
		die "cannot tell which archive of Debian apt uses here: its sources name none"
	mkdir -p "$dir"/{lists,archives}/partial
	: >"$dir/status"
	echo "deb $archive sid main" >"$dir/sources.list"
	apt_options=(-o "Dir::State=$dir" -o "Dir::State::status=$dir/status"
		-o "Dir::Cache=$dir" -o "Dir::Etc::sourcelist=$dir/sources.list"
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o APT::Sandbox::User=root)
	apt-get -q "${apt_options[@]}" update >"$work/update.log" 2>&1 ||
		die "cannot fetch the lists of sid: is there a network, and a package archive?"
}

# debian_archive: where apt gets this machine's own release from.
debian_archive()
{
	local codename

	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # for apt, not for the shell
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' "Codename: $codename" | head -1
}

# closure PACKAGE: its name and those of all that it needs.
closure()
{
	apt-get "${apt_options[@]}" -s --no-install-recommends install "$1" |
		awk '$1 == "Inst" { print $2 }'
}

# own_loader ROOT: its programs run with its own loader and libraries.  gcc knows the
# assembler by a path on the machine: without that it looks beside its other parts.
own_loader()
{
	local file magic up gcc

	for gcc in "$1"/usr/libexec/gcc/x86_64-linux-gnu/*/; do
		ln "$1/usr/bin/x86_64-linux-gnu-as" "${gcc}as"
		ln "$1/usr/bin/x86_64-linux-gnu-ld.bfd" "${gcc}ld"
	done
	sed -i 's,/usr/bin/x86_64-linux-gnu-as,/nowhere/x86_64-linux-gnu-as,' \
		"$1"/usr/bin/x86_64-linux-gnu-gcc-[0-9]*
	while read -r file; do
		IFS= read -rN4 magic <"$1/$file" 2>/dev/null || true
		[[ $magic == $'\x7fELF' ]] || continue
		mv "$1/$file" "$1/$file.elf"
		up=${file//[^\/]/}
		up=${up#/}
		cat >"$1/$file" <<-END
		#!/bin/sh
		here=\${0%/*}
		lib=\$here/${up//\//../}lib/x86_64-linux-gnu
		exec "\$lib/ld-linux-x86-64.so.2" --argv0 "\$0" --library-path "\$lib" \\
			"\$here/${file##*/}.elf" "\$@"
		END
		chmod 755 "$1/$file"
	done < <(cd "$1" && find usr/bin usr/libexec usr/lib/linux-kbuild-* \
		-type f -perm /111 ! -name '*.so*')
}

# own_tools HEADERS: a build with these headers uses the compiler unpacked with them.
own_tools()
{
	# shellcheck disable=SC2016 # for make, not for the shell
	local bin='$(abspath $(dir $(lastword $(MAKEFILE_LIST)))../../bin)'

	sed -i "s,^override CROSS_COMPILE = ,override CROSS_COMPILE := $bin/,
		\$a PAHOLE := $bin/pahole" "$1/.kernelvariables"
}
