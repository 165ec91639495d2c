// SPDX-License-Identifier: GPL-2.0
/*
 * A module that has nothing to do with quarry, to come and go beside those that have.
 */
#include <linux/module.h>

static int __init quarry_stranger_init(void)
{
	return 0;
}
module_init(quarry_stranger_init);

static void __exit quarry_stranger_exit(void)
{
}
module_exit(quarry_stranger_exit);

MODULE_DESCRIPTION("a module that does not use quarry, for its selftests");
MODULE_AUTHOR("The quarry developers");
MODULE_LICENSE("GPL");
