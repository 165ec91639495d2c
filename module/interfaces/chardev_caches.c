// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/quarry: the calls about caches. They are made by chardev.c, which has copied and
 * checked what all structs have in common.
 *
 * A call finds its cache by name and looks at it while it works (cache/cache.c), so that
 * nobody waits for who only reads. What changes a cache keeps it from being destroyed, and
 * the other caches from nothing. A cache that was destroyed with objects out is listed, but
 * has no name any more that could be asked for.
 *
 * Context: process context of the caller.
 */
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../stats/caches.h"
#include "interfaces.h"

/* One change of modes at a time: bits are set and cleared in what was read before. */
static DEFINE_MUTEX(change_mutex);

/* Look at a cache, until quarry_cache_look_away(). */
static struct quarry_cache *find_cache(const char *name)
{
	if (quarry_chardev_check_name(name))
		return ERR_PTR(-EINVAL);
	return quarry_cache_look(name) ?: ERR_PTR(-ENOENT);
}

/* The same, and it is not destroyed until put_cache(). */
static struct quarry_cache *get_cache(const char *name)
{
	struct quarry_cache *cache = find_cache(name);

	if (!IS_ERR(cache) && !quarry_cache_begin_change(cache)) {
		quarry_cache_look_away(cache);
		cache = ERR_PTR(-ENOENT);
	}
	return cache;
}

static void put_cache(struct quarry_cache *cache)
{
	quarry_cache_end_change(cache);
	quarry_cache_look_away(cache);
}

static int do_cache_list(void *arg)
{
	struct quarry_cache_list *l = arg;

	return quarry_chardev_list(quarry_caches_list, quarry_caches_number,
				   sizeof(struct quarry_cache_entry), l->entries, l->capacity,
				   &l->count);
}

static int do_cache_stats(void *arg)
{
	struct quarry_cache_stats *st = arg;
	struct quarry_cache *cache;

	if (st->pad)
		return -EINVAL;
	cache = find_cache(st->name);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	quarry_cache_snapshot(cache, st);
	quarry_cache_look_away(cache);
	return 0;
}

static int do_cache_shrink(void *arg)
{
	struct quarry_cache_op *op = arg;
	struct quarry_cache *cache;

	if (op->bytes)
		return -EINVAL;
	cache = get_cache(op->name);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	op->bytes = quarry_cache_reap(cache, true);
	put_cache(cache);
	memset(op->what, 0, sizeof(op->what));
	return 0;
}

static int do_cache_validate(void *arg)
{
	struct quarry_cache_op *op = arg;
	struct quarry_cache *cache;

	if (op->bytes)
		return -EINVAL;
	cache = get_cache(op->name);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	memset(op->what, 0, sizeof(op->what));
	op->bytes = quarry_cache_validate(cache, op->what, sizeof(op->what));
	put_cache(cache);
	return 0;
}

/* What can be wrong is found before anything is changed. */
static int chardev_check_modes(const struct quarry_cache_modes *m)
{
	if ((m->set | m->clear) & ~QUARRY_MODES || m->set & m->clear)
		return -EINVAL;
	if (m->fail_per_million != QUARRY_INJECT_KEEP32 && m->fail_per_million > 1000000)
		return -EINVAL;
	if (m->fail_nth != QUARRY_INJECT_KEEP && m->fail_nth > S64_MAX)
		return -EINVAL;
	return 0;
}

/* Under change_mutex, and the cache stays. */
static int change_modes(struct quarry_cache *cache, struct quarry_cache_modes *m)
{
	u32 modes = (quarry_cache_modes(cache) & ~m->clear) | m->set;
	int err = 0;

	if (modes != quarry_cache_modes(cache))
		err = quarry_cache_set_modes(cache, modes);
	if (!err && (m->fail_nth != QUARRY_INJECT_KEEP ||
		     m->fail_per_million != QUARRY_INJECT_KEEP32))
		err = quarry_cache_inject(cache, m->fail_nth, m->fail_per_million);
	m->modes = quarry_cache_modes(cache);
	return err;
}

static int do_cache_modes(void *arg)
{
	struct quarry_cache_modes *m = arg;
	struct quarry_cache *cache;
	int err = chardev_check_modes(m);

	if (err)
		return err;
	mutex_lock(&change_mutex);
	cache = get_cache(m->name);
	if (!IS_ERR(cache)) {
		err = change_modes(cache, m);
		put_cache(cache);
	} else {
		err = PTR_ERR(cache);
	}
	mutex_unlock(&change_mutex);
	return err;
}

/* By its number: dead ones have no other way to be asked for. */
static struct quarry_cache *find_numbered(const char *name, u32 id)
{
	if (quarry_chardev_check_name(name))
		return ERR_PTR(-EINVAL);
	return quarry_cache_look_id(id) ?: ERR_PTR(-ENOENT);
}

/* A question for stacks, and the number of the cache, which stands where the answer goes. */
struct traces_query {
	struct quarry_cache_traces *t;
	u32 id;
};

static int chardev_cache_traces(void *arg, struct quarry_trace *traces, u32 room)
{
	const struct traces_query *q = arg;
	struct quarry_cache_traces *t = q->t;
	struct quarry_cache *cache = t->flags & QUARRY_TRACES_ID ? find_numbered(t->name, q->id) :
								   find_cache(t->name);
	int err;

	if (IS_ERR(cache))
		return PTR_ERR(cache);
	err = quarry_cache_traces(cache, t->flags & QUARRY_TRACES_FREES, traces, room, &t->count,
				  &t->untraced);
	quarry_cache_look_away(cache);
	return err;
}

static int do_cache_traces(void *arg)
{
	struct quarry_cache_traces *t = arg;
	struct traces_query q = { .t = t, .id = t->count };

	return quarry_chardev_traces(chardev_cache_traces, &q, t->traces, t->capacity, &t->count);
}

static const struct quarry_call calls[] = QUARRY_CACHE_CALLS(QUARRY_CALL);

const struct quarry_call *quarry_chardev_cache_call(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
