// SPDX-License-Identifier: GPL-2.0
/*
 * Loses large memory of malloc, in functions whose names kmemleak's reports should have, and keeps
 * some, in which the only pointers to objects of the kernel's are.
 */
#include <linux/module.h>
#include <linux/quarry_malloc.h>
#include <linux/sizes.h>
#include <linux/slab.h>

/* Above a block, a run and mapped pages are what malloc can give. */
#define BLOCK	SZ_64K
#define RUN	70000
#define MAPPED	(SZ_4M + 1)

/* Of each so many are lost: a copy of a pointer may have stayed somewhere. */
#define LOST	4

static void **kept[3];

/* Where memory is used last its pointer may stay in a register: so by somebody else. */
static noinline void use(void *p)
{
	if (p)
		WRITE_ONCE(*(u8 *)p, 1);
}

static noinline void lose_block(void)
{
	use(quarry_malloc(BLOCK, GFP_KERNEL));
}

static noinline void lose_run(void)
{
	use(quarry_malloc(RUN, GFP_KERNEL));
}

static noinline void lose_mapped(void)
{
	use(quarry_kvmalloc(MAPPED, GFP_KERNEL));
}

/* Of the end of the memory, so that all of it is looked at. */
static noinline void **keep_object(void **memory, size_t size)
{
	if (memory)
		memory[size / sizeof(*memory) - 1] = kmalloc(100, GFP_KERNEL);
	return memory;
}

static void drop_object(void **memory, size_t size)
{
	if (memory)
		kfree(memory[size / sizeof(*memory) - 1]);
	quarry_kvfree(memory);
}

static int __init quarry_kmemleak_init(void)
{
	unsigned int i;

	for (i = 0; i < LOST; i++) {
		lose_block();
		lose_run();
		lose_mapped();
	}
	kept[0] = keep_object(quarry_zalloc(BLOCK, GFP_KERNEL), BLOCK);
	kept[1] = keep_object(quarry_zalloc(RUN, GFP_KERNEL), RUN);
	kept[2] = keep_object(quarry_kvzalloc(MAPPED, GFP_KERNEL), MAPPED);
	return 0;
}
module_init(quarry_kmemleak_init);

static void __exit quarry_kmemleak_exit(void)
{
	drop_object(kept[0], BLOCK);
	drop_object(kept[1], RUN);
	drop_object(kept[2], MAPPED);
}
module_exit(quarry_kmemleak_exit);

MODULE_DESCRIPTION("a test of quarry: leaks that kmemleak tells of");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
MODULE_INFO(import_ns, "QUARRY");
