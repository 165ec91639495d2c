// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own caches as they are made where they have sheaves: two arrays of
 * objects for each CPU, of a capacity that the kernel chooses by the object's size, and a
 * barn of full and empty ones for each node.
 */
#define KMEM_ARM	bench_sheaves
#define KMEM_NAME	"sheaves"
#define KMEM_FLAGS	SLAB_NO_MERGE
#include "kmem.h"
