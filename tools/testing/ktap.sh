# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# ktap.sh - print test results as KTAP, for the test programs written in bash.
#
# A program sources this, calls the functions below, and ends with
# ktap_finish.  The plan comes last, as TAP allows, so nobody has to count.

ktap_count=0
ktap_failures=0

ktap_start()
{
	echo "KTAP version 1"
}

# ktap_result STATUS NAME: one line for one test, status 0 is a pass.
ktap_result()
{
	local status=$1

	shift
	ktap_count=$((ktap_count + 1))
	if ((status == 0)); then
		echo "ok $ktap_count $*"
	else
		ktap_failures=$((ktap_failures + 1))
		echo "not ok $ktap_count $*"
	fi
}

ktap_skip()
{
	ktap_count=$((ktap_count + 1))
	echo "ok $ktap_count $1 # SKIP ${2:-}"
}

# ktap_note: for the reader; every line becomes a comment.
ktap_note()
{
	echo "# ${*//$'\n'/$'\n'# }"
}

# ktap_equal NAME WANT HAVE
ktap_equal()
{
	if [[ $2 == "$3" ]]; then
		ktap_result 0 "$1"
	else
		ktap_result 1 "$1"
		ktap_note "expected: $2"
		ktap_note "     got: $3"
	fi
}

# ktap_run NAME COMMAND...: the test is the command's exit status; what it
# prints is shown when it fails.
ktap_run()
{
	local name=$1 output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	ktap_result "$status" "$name"
	((status == 0)) || ktap_note "$output"
}

ktap_finish()
{
	echo "1..$ktap_count"
	((ktap_failures == 0))
}
