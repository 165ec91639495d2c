// SPDX-License-Identifier: GPL-2.0
/*
 * quarry_faulty - a module that does one thing wrong.
 *
 * The test of the test VM: each of these must turn into a failure of
 * tools/vm/quarry-vm, or no other test that runs there means anything.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *how = "";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "what to do wrong: warn, oops, spin, leak or overrun");

static void warn(void)
{
	WARN(1, "as asked\n");
}

static void oops(void)
{
	WRITE_ONCE(*(int *)8, 0);
}

/* Both CPUs are left to the rest of the guest; only the loader never returns. */
static void spin(void)
{
	for (;;)
		msleep(100);
}

static void leak(void)
{
	void *object = kmalloc(100, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(object);
}

static void overrun(void)
{
	char *object = kmalloc(100, GFP_KERNEL);
	size_t beyond = 100;

	if (!object)
		return;
	OPTIMIZER_HIDE_VAR(beyond);
	WRITE_ONCE(object[beyond], 1);
	kfree(object);
}

static const struct {
	const char *name;
	void (*act)(void);
} mistakes[] = {
	{ "warn", warn },
	{ "oops", oops },
	{ "spin", spin },
	{ "leak", leak },
	{ "overrun", overrun },
};

static int __init faulty_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(how, mistakes[i].name))
			continue;
		mistakes[i].act();
		return 0;
	}
	pr_err("how=%s is none of warn, oops, spin, leak, overrun\n", how);
	return -EINVAL;
}

static void __exit faulty_exit(void)
{
}

module_init(faulty_init);
module_exit(faulty_exit);

MODULE_DESCRIPTION("quarry: mistakes for the test of the test VM");
MODULE_LICENSE("GPL");
