/* SPDX-License-Identifier: GPL-2.0 */
/* Stub: frames with struct pages in one array, and memory behind them. */
#ifndef _LISTS_LINUX_MM_H
#define _LISTS_LINUX_MM_H

#include <linux/bits.h>
#include <linux/gfp.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>

#define CONFIG_SPARSEMEM_VMEMMAP
#define PAGE_SHIFT		12
#define PAGE_SIZE		BIT(PAGE_SHIFT)

/* The struct page and the memory of frame 0; as with KASLR, found at the start. */
extern struct page *vmemmap;
extern char *lists_memory;
extern unsigned long lists_frames;

void lists_clear(void *page);

#define pfn_to_page(pfn)	(vmemmap + (pfn))
#define page_to_pfn(page)	((unsigned long)((page) - vmemmap))
#define page_address(page)	((void *)(lists_memory + (page_to_pfn(page) << PAGE_SHIFT)))
#define virt_to_page(addr)						\
	pfn_to_page(((char *)(addr) - lists_memory) >> PAGE_SHIFT)
#define virt_addr_valid(addr)						\
	((unsigned long)((char *)(addr) - lists_memory) >> PAGE_SHIFT < lists_frames)
#define PAGE_ALIGNED(addr)	(!((unsigned long)(addr) & (PAGE_SIZE - 1)))
#define clear_page(addr)	lists_clear(addr)

/* Keys that are off. */
#define want_init_on_alloc(gfp)	(!!((gfp) & __GFP_ZERO))
#define want_init_on_free()	false

#endif
