/** One page-table entry: its flags, and what an entry of each level maps (arch/x86/include/asm/pgtable_types.h; 5.10 to 7.2). */

export const PTRS = 512;
export const PMD_PAGES = 512;
export const PUD_PAGES = PTRS * PMD_PAGES;

export const PTE_PRESENT = 1;
export const PTE_WRITE = 2;
export const PTE_DIRTY = 4;
export const PTE_YOUNG = 8;
/** pte_devmap / pmd_devmap (to 6.16; later kernels set neither this nor special for DAX). */
export const PTE_DEVMAP = 16;
/** A page of anonymous RAM (the copy made by a private write fault); the pfn word is an anonymous page. */
export const PTE_ANON = 32;
export const PTE_SPECIAL = 64;
/** hwpoison entry: present is clear, a touch gives SIGBUS BUS_MCEERR_AR. */
export const PTE_HWPOISON = 128;
/** A device-private entry (is_device_private_entry): not present, the pfn word is the device page; a touch migrates it back. */
export const PTE_DEVICE_PRIVATE = 256;
/** A page that a driver handed out one by one (coherent, p2pdma): the entry holds a reference in every release. */
export const PTE_COHERENT = 512;
/** Pages that an entry of a level maps. */
export const levelPages = (level: number): number => (level === 3 ? PUD_PAGES : level === 2 ? PMD_PAGES : 1);
