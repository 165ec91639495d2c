// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal: how wide, whether in colour, whether UTF-8; and live views,
 * which redraw in place and keep the last picture when they end.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "quarryctl.h"

/* Lock-free atomics may be set by signal handlers. */
static atomic_int ended, resized;
static struct timespec next_tick;
static int lines_drawn;
static bool cursor_hidden;

static int dimension(const char *variable, bool wide, int otherwise)
{
	const char *text = getenv(variable);
	struct winsize ws;
	char *end;
	long n;

	if (text && *text) {
		n = strtol(text, &end, 10);
		if (!*end && n > 0 && n < 10000)
			return n;
	}
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws)) {
		n = wide ? ws.ws_col : ws.ws_row;
		if (n > 0)
			return n;
	}
	return otherwise;
}

int screen_width(void)
{
	return dimension("COLUMNS", true, 80);
}

int screen_height(void)
{
	return dimension("LINES", false, 24);
}

bool screen_is_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb"));
}

static bool find_color(void)
{
	const char *no = getenv("NO_COLOR");

	if (req.color != WHEN_AUTO)
		return req.color == WHEN_ALWAYS;
	return !(no && *no) && screen_is_terminal();
}

/* Asked for each cell of a picture: found out once. */
bool screen_color(void)
{
	static int known = -1;

	if (known < 0)
		known = find_color();
	return known;
}

/* What the environment calls the locale, whether it is installed or not. */
static const char *locale_wanted(void)
{
	static const char *const variables[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *text;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables); i++) {
		text = getenv(variables[i]);
		if (text && *text)
			return text;
	}
	return "C";
}

/*
 * Small systems have a terminal that shows UTF-8, and no locales: the name is
 * believed then.
 */
static bool find_utf8(void)
{
	const char *name;

	if (setlocale(LC_CTYPE, ""))
		return !strcmp(nl_langinfo(CODESET), "UTF-8");
	name = locale_wanted();
	return strcasestr(name, "UTF-8") || strcasestr(name, "UTF8");
}

bool screen_utf8(void)
{
	static int known = -1;

	if (known < 0)
		known = find_utf8();
	return known;
}

static void on_end(int sig)
{
	(void)sig;
	ended = 1;
}

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

void live_end(void)
{
	if (!cursor_hidden)
		return;
	fputs("\033[?7h\033[?25h", stdout);
	cursor_hidden = false;
	flush();
}

void live_begin(void)
{
	/* No SA_RESTART: a signal has to end the sleep. */
	struct sigaction end = { .sa_handler = on_end };
	struct sigaction resize = { .sa_handler = on_resize };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	clock_gettime(CLOCK_MONOTONIC, &next_tick);
	atexit(live_end);
}

bool live_ended(void)
{
	return ended;
}

/* Ticks are absolute, so that the time a sample takes does not add up. */
bool live_wait(void)
{
	struct timespec now;
	double whole;

	next_tick.tv_nsec += modf(req.delay, &whole) * 1e9;
	next_tick.tv_sec += whole;
	if (next_tick.tv_nsec >= 1000000000) {
		next_tick.tv_nsec -= 1000000000;
		next_tick.tv_sec++;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > next_tick.tv_sec + 1)
		next_tick = now;
	while (!ended && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next_tick, NULL) == EINTR)
		;
	return !ended;
}

/* Wrapping is off while drawing: one line of text is one line on the screen. */
void live_draw(const char *text)
{
	int room = screen_height() - 1, lines = 0;
	const char *end;

	if (!cursor_hidden)
		fputs("\033[?25l", stdout);
	cursor_hidden = true;
	fputs("\033[?7l", stdout);
	if (resized) {
		fputs("\033[H\033[2J", stdout);
		resized = 0;
	} else if (lines_drawn) {
		printf("\033[%dA\r", lines_drawn);
	}
	for (; *text && lines < room; text = end + 1, lines++) {
		end = strchr(text, '\n');
		if (!end)
			break;
		printf("%.*s\033[K\n", (int)(end - text), text);
	}
	fputs("\033[J\033[?7h", stdout);
	lines_drawn = lines;
}
