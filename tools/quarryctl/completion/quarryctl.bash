# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# quarryctl.bash - completion for bash: commands, options, columns, and the names of pools
# and caches that there are. Installed as bash-completion/completions/quarryctl.
#
# Commands, options, columns and modes are asked of the tool's own help, so there is no second list.

# Commands as --help has them, words of one behind the other.
_quarryctl_commands()
{
	quarryctl --help 2>/dev/null | sed -n 's/^  \([a-z][a-z ]*[a-z]\) .*/\1/p' |
		sed 's/  .*//; s/ [A-Z[].*//'
}

_quarryctl_options()
{
	# shellcheck disable=SC2086
	quarryctl $1 --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u
}

_quarryctl_columns()
{
	# shellcheck disable=SC2086
	quarryctl help $1 2>/dev/null |
		sed -n '/^Columns/,/^Example/s/^[* ] \([A-Z_%0-9]*\)  .*/\1/p' | tr '[:upper:]' '[:lower:]'
}

_quarryctl_modes()
{
	# shellcheck disable=SC2086
	quarryctl help ${1:-cache} 2>/dev/null | sed -n '/Modes:$/,/^$/s/^  \([a-z]*\): .*/\1/p'
}

_quarryctl_pools()
{
	quarryctl pools --raw --noheadings --output pool 2>/dev/null
}

_quarryctl_caches()
{
	quarryctl caches --all --raw --noheadings --output cache,kind 2>/dev/null |
		sed -n '/ dead$/!s/ .*//p'
}

# Of a list parted by commas the last word is begun; a sign may stand before it.
_quarryctl_last_of()
{
	local current=$1 sign before word words=$2

	before=${current%"${current##*,}"}
	word=${current##*,}
	sign=${word%%[!+-]*}
	for word in $words; do
		echo "$before$sign$word"
	done
}

_quarryctl()
{
	local current=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}
	local command="" word words="" i

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		[[ $word != -* && ${COMP_WORDS[i - 1]} != --[cdos]* ]] || continue
		if [[ -z $command || $command == pool || $command == help ]]; then
			command+=${command:+ }$word
		fi
	done
	case $last in
	-s | --sort)
		words=$(_quarryctl_columns "${command:-pools}") ;;
	-o | --output)
		words=$(_quarryctl_last_of "$current" "$(_quarryctl_columns "${command:-pools}")") ;;
	--modes)
		words=$(_quarryctl_last_of "$current" "$(_quarryctl_modes "$command")") ;;
	--color)
		words="auto always never" ;;
	--device)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return ;;
	*)
		case $current,$command in
		-*)
			words=$(_quarryctl_options "$command") ;;
		*, | *,help)
			words=$(_quarryctl_commands | sed 's/ .*//' | sort -u) ;;
		*,pool | *,"help pool")
			words="create destroy modes" ;;
		*,cache | *,leaks)
			words=$(_quarryctl_caches) ;;
		*,pools | *,buddy | *,map | *,stat | *,validate | *,shrink | *,drain | *,caches | \
			*,"pool destroy" | *,"pool modes")
			words=$(_quarryctl_pools) ;;
		esac ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -F _quarryctl quarryctl
