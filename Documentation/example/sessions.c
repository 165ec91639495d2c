// SPDX-License-Identifier: GPL-2.0
/*
 * A table of sessions: how a driver uses quarry's objects, and frees them under RCU.
 *
 *	the pool	a cap, so that clients who open sessions for ever meet -ENOMEM, and
 *			nobody else does
 *	the cache	of sessions, in that pool
 *	names		of any length, of malloc, which is in the default pool
 *	look-ups	under rcu_read_lock(), without a lock: so whoever closes a session
 *			frees it by quarry_free_rcu()
 *
 * See Documentation/using.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/quarry.h>
#include <linux/quarry_malloc.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define BITS	8	/* of the table of sessions */

static unsigned int sessions = 1000;
module_param(sessions, uint, 0444);
MODULE_PARM_DESC(sessions, "sessions to open at load (1000)");

/**
 * struct name - of a session, of any length
 * @rcu:	room for the free after a grace period
 * @text:	ends with a 0
 */
struct name {
	struct rcu_head rcu;
	char text[];
};

/**
 * struct session - what a client has open
 * @node:	in the table
 * @rcu:	room for the free after a grace period
 * @id:		what it is looked for by
 * @name:	of quarry's malloc
 * @state:	of the client
 */
struct session {
	struct hlist_node node;
	struct rcu_head rcu;
	u32 id;
	struct name *name;
	u8 state[200];
};

static struct quarry_pool *pool;
static struct quarry_cache *cache;
static DEFINE_HASHTABLE(table, BITS);
static DEFINE_SPINLOCK(table_lock);

static int open_session(u32 id)
{
	struct session *s = quarry_cache_zalloc(cache, GFP_KERNEL);
	char text[32];

	if (!s)
		return -ENOMEM;
	snprintf(text, sizeof(text), "session-%u", id);
	s->name = quarry_malloc(struct_size(s->name, text, strlen(text) + 1), GFP_KERNEL);
	if (!s->name) {
		quarry_cache_free(cache, s);
		return -ENOMEM;
	}
	strcpy(s->name->text, text);
	s->id = id;
	spin_lock(&table_lock);
	hash_add_rcu(table, &s->node, id);
	spin_unlock(&table_lock);
	return 0;
}

/* Only valid until rcu_read_unlock(). */
static struct session *find_session(u32 id)
{
	struct session *s;

	hash_for_each_possible_rcu(table, s, node, id)
		if (s->id == id)
			return s;
	return NULL;
}

static size_t name_length(u32 id)
{
	struct session *s;
	size_t length;

	rcu_read_lock();
	s = find_session(id);
	length = s ? strlen(s->name->text) : 0;
	rcu_read_unlock();
	return length;
}

/*
 * A reader may be at the session, and at its name: neither goes before a grace period. For
 * what has no room for a struct rcu_head there is quarry_free_rcu_mightsleep(), which waits.
 */
static void close_session(struct session *s)
{
	spin_lock(&table_lock);
	hash_del_rcu(&s->node);
	spin_unlock(&table_lock);
	quarry_free_rcu(s->name, rcu);
	quarry_free_rcu(s, rcu);
}

static void close_all(void)
{
	struct hlist_node *next;
	struct session *s;
	int bucket;

	hash_for_each_safe(table, bucket, next, s, node)
		close_session(s);
}

static void report(void)
{
	struct quarry_cache_stats *st = kmalloc(sizeof(*st), GFP_KERNEL);

	if (!st)
		return;
	quarry_cache_snapshot(cache, st);
	pr_info("%llu sessions are open, of %u bytes each\n", st->objects_out,
		quarry_cache_size(cache));
	kfree(st);
}

static int __init sessions_init(void)
{
	struct quarry_pool_config cfg = QUARRY_POOL_CONFIG;
	size_t length = 0;
	unsigned int i;
	int err = 0;

	cfg.max_bytes = SZ_4M;
	pool = quarry_pool_create("sessions", &cfg);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	cache = quarry_cache_create_in(pool, "sessions", sizeof(struct session), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	if (IS_ERR(cache)) {
		err = PTR_ERR(cache);
		goto pool;
	}
	for (i = 0; i < sessions && !err; i++) {
		err = open_session(i);
		length += name_length(i);
	}
	if (err)
		goto sessions;
	report();
	pr_info("their names have %zu letters\n", length);
	return 0;

sessions:
	close_all();
	quarry_cache_destroy(cache);
pool:
	quarry_pool_destroy(pool);
	return err;
}
module_init(sessions_init);

static void __exit sessions_exit(void)
{
	close_all();
	/*
	 * Waits for what is on its way by quarry_free_rcu(), as the kernel's does from 6.12
	 * on. With a callback of its own by call_rcu() a module has to call rcu_barrier()
	 * before, for its own function must have run before it goes.
	 */
	WARN_ON(quarry_cache_destroy(cache));
	/* After its caches: they have its pages. */
	WARN_ON(quarry_pool_destroy(pool));
}
module_exit(sessions_exit);

MODULE_DESCRIPTION("Example: sessions that are looked up under RCU, as quarry's objects");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
