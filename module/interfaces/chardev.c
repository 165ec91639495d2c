// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/quarry: reading and control by ioctl. The rules that every call obeys stand
 * in include/uapi/linux/quarry.h. The calls about caches are in chardev_caches.c.
 *
 * Each call copies its struct in once, checks the copy and works on it; nothing is
 * read from user memory twice. A call finds its pool by name and looks at it while it works
 * (pages/pools.c): no lock is held for longer than some steps, and nobody waits for a caller
 * that the scheduler, or its own memory, lets wait. What a call answers with is copied out in
 * pieces of a bounded size, as far as there is something.
 *
 * The device is for root, and for a group if the module's parameter device_gid names one: how
 * others allocate is nobody's business.
 *
 * Context: process context of the caller.
 */
#include <linux/bitops.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../compat.h"
#include "../pages/guard.h"
#include "../stats/snapshot.h"
#include "interfaces.h"

/* Areas copied out at a time. */
#define MAP_BATCH	1024

/* Entries of a list likewise: they fit into a page. */
#define LIST_BATCH	64

/* Largest number of stacks that are told apart. */
#define TRACES_MAX	1024

/* So many are asked for first: mostly there are no more. */
#define TRACES_FEW	32

/* What stands at the head of every struct. */
struct head {
	u32 size;
	u32 flags;
};

int quarry_chardev_check_name(const char *name)
{
	size_t len = strnlen(name, QUARRY_NAME_MAX);

	if (len == QUARRY_NAME_MAX || memchr_inv(name + len, 0, QUARRY_NAME_MAX - len))
		return -EINVAL;
	return quarry_pool_check_name(name);
}

/* Look at a pool, until quarry_pool_look_away(). */
static struct quarry_pool *find_pool(const char *name)
{
	if (quarry_chardev_check_name(name))
		return ERR_PTR(-EINVAL);
	return quarry_pool_look(name) ?: ERR_PTR(-ENOENT);
}

static int do_version(void *arg)
{
	struct quarry_version *v = arg;

	v->abi = QUARRY_ABI_VERSION;
	v->page_size = PAGE_SIZE;
	v->features = QUARRY_FEATURE_PAGES | QUARRY_FEATURE_INJECT | QUARRY_FEATURE_CACHES;
	v->nr_pools = quarry_pools_number();
	v->max_order = quarry_max_order();
	strscpy_pad(v->version, QUARRY_VERSION, sizeof(v->version));
	return 0;
}

/**
 * quarry_chardev_list() - answer with a list of what comes and goes meanwhile
 * @list:	writes entries down, from a place on; fewer than there is room for at the end
 * @number:	how many there are
 * @size:	bytes of an entry
 * @to:		the caller's array
 * @capacity:	its length
 * @count:	set to how many were written; to more if there was no room for all
 *
 * Context: sleeps. Return: 0, -ENOMEM or -EFAULT.
 */
int quarry_chardev_list(unsigned int (*list)(u64 *from, void *entries, unsigned int room),
			unsigned int (*number)(void), size_t size, u64 to, u32 capacity,
			u32 *count)
{
	u32 written = 0, nr, room;
	void *entries;
	u64 from = 0;
	int err = 0;

	entries = kcalloc(LIST_BATCH, size, GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	do {
		room = min_t(u32, capacity - written, LIST_BATCH);
		nr = list(&from, entries, room);
		if (nr && copy_to_user(u64_to_user_ptr(to) + written * size, entries, nr * size))
			err = -EFAULT;
		written += nr;
		memset(entries, 0, nr * size);
		cond_resched();
	} while (!err && nr && nr == room && !fatal_signal_pending(current));
	kfree(entries);
	/* With room to spare all were written; else there may be more. */
	*count = written < capacity ? written : max(written, number());
	return err;
}

/*
 * Look at a pool no more. One that has gone meanwhile was giving its memory back while it was
 * looked at: what was seen is neither what it had nor nothing, and is not told.
 */
static int end_look(struct quarry_pool *pool)
{
	int err = quarry_pool_has_gone(pool) ? -ENOENT : 0;

	quarry_pool_look_away(pool);
	return err;
}

static int do_pool_list(void *arg)
{
	struct quarry_pool_list *l = arg;

	return quarry_chardev_list(quarry_pools_list, quarry_pools_number,
				   sizeof(struct quarry_pool_entry), l->entries, l->capacity,
				   &l->count);
}

static int do_pool_stats(void *arg)
{
	struct quarry_pool_stats *st = arg;
	struct quarry_pool *pool;

	if (st->modes)
		return -EINVAL;
	pool = find_pool(st->name);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	quarry_pool_snapshot(pool, st);
	return end_look(pool);
}

static int do_pool_orders(void *arg)
{
	struct quarry_pool_orders *o = arg;
	struct quarry_pool *pool;

	if (o->node < QUARRY_ANY_NODE || o->node >= (int)nr_node_ids)
		return -EINVAL;
	pool = find_pool(o->name);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	quarry_pool_orders_snapshot(pool, o->node, o);
	return end_look(pool);
}

/* One batch of areas; the pool must be the one of the batch before. */
static int get_areas(struct quarry_pool_map *map, struct quarry_map_area *areas,
		     unsigned int *got, s64 *id)
{
	struct quarry_pool *pool = find_pool(map->name);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	if (*id >= 0 && *id != pool->registered.id) {
		quarry_pool_look_away(pool);
		return -ENOENT;
	}
	*id = pool->registered.id;
	*got = quarry_pool_map_snapshot(pool, map->start + map->count, areas,
					min_t(u32, map->capacity - map->count, MAP_BATCH),
					&map->total);
	return end_look(pool);
}

static int do_pool_map(void *arg)
{
	struct quarry_pool_map *map = arg;
	struct quarry_map_area __user *to = u64_to_user_ptr(map->areas);
	struct quarry_map_area *areas;
	unsigned int got;
	s64 id = -1;
	int err;

	areas = kvmalloc_array(MAP_BATCH, sizeof(*areas), GFP_KERNEL_ACCOUNT);
	if (!areas)
		return -ENOMEM;
	map->count = 0;
	do {
		/* Nothing is held while copying: user memory may answer late or never. */
		err = get_areas(map, areas, &got, &id);
		if (!err && got && copy_to_user(to + map->count, areas, got * sizeof(*areas)))
			err = -EFAULT;
		if (!err)
			map->count += got;
		cond_resched();
	} while (!err && got && map->count < map->capacity && !fatal_signal_pending(current));
	kvfree(areas);
	return err;
}

static int do_pool_create(void *arg)
{
	struct quarry_pool_create *c = arg;
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;

	if (quarry_chardev_check_name(c->name))
		return -EINVAL;
	if (c->node < QUARRY_ANY_NODE)
		return -EINVAL;
	cfg.min_bytes = c->min_bytes;
	cfg.max_bytes = c->max_bytes;
	cfg.reserve_bytes = c->reserve_bytes;
	cfg.low_bytes = c->low_bytes;
	cfg.node = c->node == QUARRY_ANY_NODE ? NUMA_NO_NODE : c->node;
	/* Whoever knows the name may have destroyed it when this returns. */
	return PTR_ERR_OR_ZERO(quarry_pool_make(c->name, &cfg, NULL, &c->id));
}

/* The answer could not be written: nobody would know of it. */
static void undo_create(void *arg)
{
	struct quarry_pool_create *c = arg;

	quarry_pool_destroy_named(c->name, c->id);
}

static int do_pool_destroy(void *arg)
{
	struct quarry_pool_op *op = arg;
	int err;

	if (op->bytes || quarry_chardev_check_name(op->name))
		return -EINVAL;
	if (op->flags & QUARRY_POOL_FORGET)
		err = quarry_pool_forget_named(op->name, &op->bytes);
	else
		err = quarry_pool_destroy_named(op->name, -1);
	/* What was out of it keeps us no longer. */
	if (!err)
		quarry_pools_unpin();
	return err;
}

/* One change of modes at a time: bits are set and cleared in what was read before. */
static DEFINE_MUTEX(change_mutex);

/* The list has all of the mask. */
#define ZERO_OF(NAME, word, text)	0,
static_assert(HWEIGHT32(QUARRY_POOL_MODES) ==
	      sizeof((const u8 [])QUARRY_POOL_MODE_LIST(ZERO_OF)));

static int do_pool_modes(void *arg)
{
	struct quarry_pool_modes *m = arg;
	struct quarry_pool *pool;
	int err = 0;
	u32 modes;

	if ((m->set | m->clear) & ~QUARRY_POOL_MODES || m->set & m->clear || m->pad)
		return -EINVAL;
	mutex_lock(&change_mutex);
	pool = find_pool(m->name);
	if (IS_ERR(pool)) {
		err = PTR_ERR(pool);
	} else {
		modes = (quarry_pool_modes(pool) & ~m->clear) | m->set;
		if (modes != quarry_pool_modes(pool))
			err = quarry_pool_set_modes(pool, modes);
		m->modes = quarry_pool_modes(pool);
		quarry_pool_look_away(pool);
	}
	mutex_unlock(&change_mutex);
	return err;
}

/**
 * quarry_chardev_traces() - answer with stacks
 * @get:	writes no more than @room stacks and sets *@count to how many there are; asked
 *		twice if there are more than a few
 * @arg:	for @get
 * @to:		the caller's array
 * @capacity:	its length
 * @count:	set by @get
 *
 * Context: sleeps. Return: 0, -ENOMEM, -EFAULT, or what @get returns.
 */
int quarry_chardev_traces(int (*get)(void *arg, struct quarry_trace *traces, u32 room), void *arg,
			  u64 to, u32 capacity, const u32 *count)
{
	u32 room = min_t(u32, capacity, TRACES_MAX);
	struct quarry_trace *traces;
	int err;

	/* No more room than there are stacks: that is known when some have been asked for. */
	traces = kvcalloc(TRACES_FEW, sizeof(*traces), GFP_KERNEL_ACCOUNT);
	if (!traces)
		return -ENOMEM;
	err = get(arg, traces, min_t(u32, room, TRACES_FEW));
	room = min(room, *count);
	if (!err && room > TRACES_FEW) {
		kvfree(traces);
		traces = kvcalloc(room, sizeof(*traces), GFP_KERNEL_ACCOUNT);
		if (!traces)
			return -ENOMEM;
		err = get(arg, traces, room);
		room = min(room, *count);
	}
	if (!err && room && copy_to_user(u64_to_user_ptr(to), traces, room * sizeof(*traces)))
		err = -EFAULT;
	kvfree(traces);
	return err;
}

static int chardev_get_traces(void *arg, struct quarry_trace *traces, u32 room)
{
	struct quarry_pool_traces *t = arg;
	struct quarry_pool *pool = find_pool(t->name);
	int err;

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	err = quarry_pool_traces(pool, traces, room, &t->count, &t->untraced);
	quarry_pool_look_away(pool);
	return err;
}

static int do_pool_traces(void *arg)
{
	struct quarry_pool_traces *t = arg;

	return quarry_chardev_traces(chardev_get_traces, t, t->traces, t->capacity, &t->count);
}

static int do_forgotten(void *arg)
{
	struct quarry_forgotten *f = arg;

	f->pools = quarry_pools_forgotten();
	f->lost_bytes = quarry_pools_lost();
	return 0;
}

static int do_pool_shrink(void *arg)
{
	struct quarry_pool_op *op = arg;
	struct quarry_pool *pool = find_pool(op->name);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	op->bytes = quarry_pool_shrink(pool, op->bytes);
	quarry_pool_look_away(pool);
	return 0;
}

static int do_pool_drain(void *arg)
{
	struct quarry_pool_op *op = arg;
	struct quarry_pool *pool;

	if (op->bytes)
		return -EINVAL;
	pool = find_pool(op->name);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	op->bytes = quarry_pool_drain(pool);
	quarry_pool_look_away(pool);
	quarry_pools_unpin();
	return 0;
}

static int do_pool_validate(void *arg)
{
	struct quarry_pool_validate *v = arg;
	struct quarry_pool *pool = find_pool(v->name);

	if (IS_ERR(pool))
		return PTR_ERR(pool);
	memset(v->what, 0, sizeof(v->what));
	quarry_pool_validate(pool, v);
	quarry_pool_look_away(pool);
	return 0;
}

static const struct quarry_call calls[] = QUARRY_POOL_CALLS(QUARRY_CALL);

static const struct quarry_call *find_call(unsigned int number)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].number == number)
			return &calls[i];
	return quarry_chardev_cache_call(number);
}

static long quarry_ioctl(struct file *file, unsigned int cmd, unsigned long uarg)
{
	void __user *user = (void __user *)uarg;
	size_t usize = _IOC_SIZE(cmd);
	const struct quarry_call *call;
	struct head *arg;
	long err;

	if (_IOC_TYPE(cmd) != QUARRY_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	call = find_call(_IOC_NR(cmd));
	if (!call)
		return -ENOTTY;
	if (call->right == QUARRY_CALL_CHANGES && !(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (call->right != QUARRY_CALL_READS && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (usize < call->first)
		return -EINVAL;

	arg = kzalloc(call->size, GFP_KERNEL_ACCOUNT);
	if (!arg)
		return -ENOMEM;
	err = copy_struct_from_user(arg, call->size, user, usize);
	if (!err && (arg->size != usize || arg->flags & ~call->flags))
		err = -EINVAL;
	if (!err)
		err = call->fn(arg);
	/* A program gets as much as it knows of; what it does not have was zero for the call. */
	if (!err && copy_to_user(user, arg, min_t(size_t, usize, call->size))) {
		err = -EFAULT;
		if (call->fn == do_pool_create)
			undo_create(arg);
	}
	kfree(arg);
	return err;
}

static const struct file_operations quarry_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = quarry_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

int __init quarry_chardev_init(s64 gid)
{
	return quarry_node_init(&quarry_fops, gid);
}

void quarry_chardev_exit(void)
{
	quarry_node_exit();
}
