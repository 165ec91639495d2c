/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: nobody looks into the tree here. */
#ifndef _LISTS_LINUX_RBTREE_H
#define _LISTS_LINUX_RBTREE_H

struct rb_node {
	unsigned long parent_color;
	struct rb_node *right, *left;
};

struct rb_root {
	struct rb_node *rb_node;
};

#endif
