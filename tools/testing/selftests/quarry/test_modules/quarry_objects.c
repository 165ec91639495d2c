// SPDX-License-Identifier: GPL-2.0
/*
 * A client for the selftests: user space has no call that makes a cache.
 *
 * Has a cache and some of its objects, and blocks of malloc, from load to unload. What
 * is written to the parameters take, give, swap, wipe, misuse and destroy is done at
 * once, on the CPU of whoever writes. The file quarry_objects in debugfs is the first
 * object, copied to and from user space.
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/quarry_malloc.h>
#include <linux/spinlock.h>

#define MAX_HOLD	0x100000

static char *name = "qt.objects";
module_param(name, charp, 0444);
MODULE_PARM_DESC(name, "of the cache");

static char *pool_name = "default";
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "name of the pool that the cache lives in");

static unsigned int size = 200;
module_param(size, uint, 0444);
MODULE_PARM_DESC(size, "bytes of an object");

static bool ctor;
module_param(ctor, bool, 0444);
MODULE_PARM_DESC(ctor, "the cache has a constructor");

static unsigned int room = 4096;
module_param(room, uint, 0444);
MODULE_PARM_DESC(room, "most objects to have");

static unsigned int blocks;
module_param(blocks, uint, 0444);
MODULE_PARM_DESC(blocks, "blocks of malloc to have");

static unsigned int block_size = 1000;
module_param(block_size, uint, 0444);
MODULE_PARM_DESC(block_size, "bytes of each");

static unsigned int user_offset;
module_param(user_offset, uint, 0444);
MODULE_PARM_DESC(user_offset, "first byte that may be copied, with user_size");

static unsigned int user_size;
module_param(user_size, uint, 0444);
MODULE_PARM_DESC(user_size, "bytes that may be copied; the cache is in the default pool then");

static bool panics;
module_param(panics, bool, 0444);
MODULE_PARM_DESC(panics, "asks for what cannot be had, with SLAB_PANIC");

static unsigned int has;
module_param(has, uint, 0444);
MODULE_PARM_DESC(has, "objects it has now");

static struct quarry_cache *cache;
static struct dentry *file;
static bool dead;
static void **objects;
static void **block;

static void construct(void *object)
{
	memset(object, 0x5a, size);
}

/* A function of its own, to be looked for in traces. */
static noinline int quarry_objects_take(unsigned int nr)
{
	for (; nr; nr--) {
		void *object = has < room ? quarry_cache_alloc(cache, GFP_KERNEL) : NULL;

		if (!object)
			return -ENOMEM;
		objects[has++] = object;
	}
	return 0;
}

static noinline void quarry_objects_free(unsigned int nr)
{
	for (; nr && has; nr--) {
		/* The last in is the first out. */
		if (dead)
			quarry_free(objects[--has]);
		else
			quarry_cache_free(cache, objects[--has]);
	}
}

static int set_take(const char *text, const struct kernel_param *kp)
{
	unsigned int nr;

	return kstrtouint(text, 0, &nr) || !objects || dead ? -EINVAL : quarry_objects_take(nr);
}

static const struct kernel_param_ops take_ops = { .set = set_take };

module_param_cb(take, &take_ops, NULL, 0200);
MODULE_PARM_DESC(take, "written: allocates so many objects");

static int set_give(const char *text, const struct kernel_param *kp)
{
	unsigned int nr;

	if (kstrtouint(text, 0, &nr) || !objects)
		return -EINVAL;
	quarry_objects_free(nr);
	return 0;
}

static const struct kernel_param_ops give_ops = { .set = set_give };

module_param_cb(give, &give_ops, NULL, 0200);
MODULE_PARM_DESC(give, "written: frees so many objects");

/*
 * Takes, and gives back the same, where nothing may sleep on any kernel: under a raw
 * spinlock, interrupts off. Says how many there were by the error.
 */
static int set_swap(const char *text, const struct kernel_param *kp)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned int nr, i, had = has;
	unsigned long flags;

	if (kstrtouint(text, 0, &nr) || !objects || dead || nr > room - has)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		raw_spin_lock_irqsave(&lock, flags);
		objects[has] = quarry_cache_alloc(cache, GFP_ATOMIC);
		raw_spin_unlock_irqrestore(&lock, flags);
		if (objects[has])
			has++;
	}
	for (i = had; i < has; i++) {
		raw_spin_lock_irqsave(&lock, flags);
		quarry_cache_free(cache, objects[i]);
		raw_spin_unlock_irqrestore(&lock, flags);
	}
	i = has - had;
	has = had;
	return i == nr ? 0 : i ? -EAGAIN : -ENOMEM;
}

static const struct kernel_param_ops swap_ops = { .set = set_swap };

module_param_cb(swap, &swap_ops, NULL, 0200);
MODULE_PARM_DESC(swap, "written: takes and gives so many where nothing may sleep");

/*
 * What is left of an object that was written to, freed, and allocated again: an error for
 * each that is not zero, -EBUSY of the free one, -EEXIST of the new one.
 */
static int set_wipe(const char *text, const struct kernel_param *kp)
{
	void *object, *again;
	int ret = 0;

	if (!objects || dead || strcmp(text, "1"))
		return -EINVAL;
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	if (!object)
		return -ENOMEM;
	memset(object, 0x5a, size);
	/* What is freed last comes first. */
	preempt_disable();
	quarry_cache_free(cache, object);
	/* What is free is looked at on purpose. */
	kasan_disable_current();
	if (memchr_inv(object, 0, size))
		ret = -EBUSY;
	kasan_enable_current();
	again = quarry_cache_alloc(cache, GFP_ATOMIC);
	preempt_enable();
	if (!again)
		return -ENOMEM;
	if (memchr_inv(again, 0, size))
		ret = -EEXIST;
	quarry_cache_free(cache, again);
	return ret;
}

/* What the kernel was told, or built, to clear: 1 for what is allocated, 2 for what is freed. */
static int get_clears(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", want_init_on_alloc(0) | want_init_on_free() << 1);
}

static const struct kernel_param_ops clears_ops = { .get = get_clears };

module_param_cb(clears, &clears_ops, NULL, 0444);
MODULE_PARM_DESC(clears, "what the kernel clears: 1 on allocation, 2 on free");

static const struct kernel_param_ops wipe_ops = { .set = set_wipe };

module_param_cb(wipe, &wipe_ops, NULL, 0200);
MODULE_PARM_DESC(wipe, "written 1: says by the error what is left of a freed object");

static ssize_t object_read(struct file *f, char __user *to, size_t n, loff_t *at)
{
	return !has ? -ENXIO : quarry_copy_to_user(to, objects[0] + *at, n) ? -EFAULT : n;
}

static ssize_t object_write(struct file *f, const char __user *from, size_t n, loff_t *at)
{
	return !has ? -ENXIO : quarry_copy_from_user(objects[0] + *at, from, n) ? -EFAULT : n;
}

static const struct file_operations object_ops = {
	.owner = THIS_MODULE,
	.llseek = default_llseek,
	.read = object_read,
	.write = object_write,
};

/* Each of these is refused, counted once, and harms nothing. */
static int set_misuse(const char *text, const struct kernel_param *kp)
{
	void *object, *other;
	int ret = 0;

	if (!objects || dead)
		return -EINVAL;
	object = quarry_cache_alloc(cache, GFP_KERNEL);
	other = quarry_malloc(size, GFP_KERNEL);
	if (!object || !other) {
		ret = -ENOMEM;
	} else if (sysfs_streq(text, "double_free")) {
		quarry_cache_free(cache, object);
		quarry_cache_free(cache, object);
		object = NULL;
	} else if (sysfs_streq(text, "interior")) {
		quarry_cache_free(cache, object + 8);
	} else if (sysfs_streq(text, "foreign")) {
		quarry_cache_free(cache, objects);
	} else if (sysfs_streq(text, "wrong_cache")) {
		quarry_cache_free(cache, other);
	} else if (sysfs_streq(text, "overflow")) {
		/* quarry is to find it, where KASAN would tell it first. */
		kasan_disable_current();
		((u8 *)object)[size] ^= 0xff;
		kasan_enable_current();
	} else {
		ret = -EINVAL;
	}
	quarry_cache_free(cache, object);
	quarry_free(other);
	return ret;
}

static const struct kernel_param_ops misuse_ops = { .set = set_misuse };

module_param_cb(misuse, &misuse_ops, NULL, 0200);
MODULE_PARM_DESC(misuse, "written: does what it names: double_free, interior, ...");

static int set_destroy(const char *text, const struct kernel_param *kp)
{
	if (!objects || dead)
		return -EINVAL;
	/* It reports busy where objects are out, and takes them back then. */
	quarry_cache_destroy(cache);
	dead = true;
	return 0;
}

static const struct kernel_param_ops destroy_ops = { .set = set_destroy };

module_param_cb(destroy, &destroy_ops, NULL, 0200);
MODULE_PARM_DESC(destroy, "written: destroys the cache, whatever is out");

static void put_blocks(void)
{
	unsigned int i;

	for (i = 0; i < blocks; i++)
		quarry_free(block[i]);
	kvfree(block);
}

static int get_blocks(void)
{
	unsigned int i;

	block = kvcalloc(blocks + 1, sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	for (i = 0; i < blocks; i++) {
		block[i] = quarry_malloc(block_size, GFP_KERNEL);
		if (!block[i]) {
			put_blocks();
			return -ENOMEM;
		}
	}
	return 0;
}

static int make_cache(void)
{
	struct quarry_pool *pool;

	if (panics)
		quarry_cache_create(name, 0, 0, SLAB_PANIC, NULL);
	if (user_size) {
		cache = quarry_cache_create_usercopy(name, size, 0, 0, user_offset, user_size,
						     NULL);
		return PTR_ERR_OR_ZERO(cache);
	}
	pool = quarry_pool_find(pool_name);
	if (!pool)
		return -ENOENT;
	cache = quarry_cache_create_in(pool, name, size, 0, 0, ctor ? construct : NULL);
	/* The cache keeps it. */
	quarry_pool_put(pool);
	return PTR_ERR_OR_ZERO(cache);
}

static int __init quarry_objects_init(void)
{
	void **list;
	int err;

	if (room > MAX_HOLD || blocks > MAX_HOLD)
		return -EINVAL;
	has = 0;
	err = make_cache();
	if (err)
		return err;
	err = get_blocks();
	if (err)
		goto destroy;
	list = kvcalloc(room + 1, sizeof(*list), GFP_KERNEL);
	if (!list) {
		err = -ENOMEM;
		goto put;
	}
	/* From here on the parameters do what they say. */
	WRITE_ONCE(objects, list);
	file = debugfs_create_file("quarry_objects", 0600, NULL, NULL, &object_ops);
	return 0;

put:
	put_blocks();
destroy:
	quarry_cache_destroy(cache);
	return err;
}

static void __exit quarry_objects_exit(void)
{
	debugfs_remove(file);
	quarry_objects_free(has);
	put_blocks();
	if (!dead)
		quarry_cache_destroy(cache);
	kvfree(objects);
}

module_init(quarry_objects_init);
module_exit(quarry_objects_exit);

MODULE_DESCRIPTION("Client of quarry's caches for the selftests");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
