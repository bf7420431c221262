/*
 * bench/gup-removal.yaml as the paths of the simulated kernel run it under profile 5.10: one atomic step here for each
 * step from one point of a path to the next (fs and drivers/dax/device.c, mm/gup.c, mm/memory.c, mm/memremap.c), with
 * the variables that the protocol is about and no others. The labels of the points stand beside the labels here.
 * -DP=processes -DG=pages -DWRONG for the order unmap-then-dead, -DCHECK to stop where an entry outlives its memmap.
 */
#ifndef P
#define P 2
#endif
#ifndef G
#define G 1
#endif

byte alive = 1, memmap = 1, srcu, irqs_off, dying, users;
byte pte[P * G], refs[G], visited[P];

#define PTE pte[_pid * G + g]
#if G == 1
#define TABLE_IN_USE (pte[_pid] == 1)
#define HELD (refs[0] > 0)
#else
#define TABLE_IN_USE (pte[_pid * G] == 1 || pte[_pid * G + 1] == 1)
#define HELD (refs[0] > 0 || refs[1] > 0)
#endif
/* The line is over: the head of the next one, up to its first point. */
#define GUP irqs_off++; goto gup
#define NEXT g++; if :: g == G -> goto end_done :: else -> goto load fi

active [P] proctype user() {
  byte g;
  skip;                       /* start */
load:                         /* user load */
  atomic { if :: PTE == 1 -> GUP :: else -> goto entry fi }
entry:                        /* handle_mm_fault: read the entry; huge faults are tried only where no table is in use */
  atomic { srcu++; if :: TABLE_IN_USE -> goto alive0 :: else -> goto alive18 fi }
alive18:                      /* dev_dax_huge_fault: dax_alive (order 18) */
  atomic { if :: alive == 1 -> goto alive9 :: else -> srcu--; GUP fi }
alive9:
  atomic { if :: alive == 1 -> goto alive0 :: else -> srcu--; GUP fi }
alive0:
  atomic { if :: alive == 1 -> goto insert :: else -> srcu--; GUP fi }
insert:                       /* dev_dax_huge_fault: insert the entry */
  atomic { PTE = 1; srcu--; goto load }
gup:                          /* gup_fast: read the pte */
  atomic { if :: PTE == 1 -> goto pgmap :: else -> irqs_off--; NEXT fi }
pgmap:                        /* gup_fast: get_dev_pagemap */
  atomic { if :: dying == 0 -> users++; goto take :: else -> irqs_off--; NEXT fi }
take:                         /* gup_fast: take the page reference */
  atomic { refs[g]++; goto again }
again:                        /* gup_fast: read the pte again */
  atomic { users--; irqs_off--; if :: PTE == 1 -> goto put :: else -> refs[g]--; NEXT fi }
put:                          /* put_page */
  atomic { refs[g]--; NEXT }
end_done:
  (false)
}

#ifdef CHECK
#define STALE q = 0; do :: q < P * G -> assert(pte[q] == 0); q++ :: else -> break od; q = 0
#else
#define STALE skip
#endif
#ifdef WRONG
#define KILLED ref_kill
#define UNMAPPED kill
#else
#define KILLED unmap
#define UNMAPPED ref_kill
#endif
#define NEXT_VMA n++; if :: n == P -> n = 0; FORGET; goto UNMAPPED :: else -> goto unmap fi
#define FORGET q = 0; do :: q < P -> visited[q] = 0; q++ :: else -> break od; q = 0

active proctype remover() {
  byte i, n, q, any;
  skip;                       /* start */
  skip;                       /* lock device_lock */
#ifdef WRONG
  skip; goto unmap;           /* __device_release_driver: remove */
#else
  skip;
#endif
kill:                         /* kill_dax: clear DAXDEV_ALIVE */
  atomic { alive = 0; if :: srcu == 0 -> goto KILLED :: else -> goto wait_srcu fi }
wait_srcu:                    /* kill_dax: synchronize_srcu */
  atomic { srcu == 0 -> goto KILLED }
unmap:                        /* unmap_mapping_range, and its next VMA: any that was not visited */
  atomic {
    if
    :: visited[0] == 0 -> i = 0
#if P > 1
    :: visited[1] == 0 -> i = 1
#endif
#if P > 2
    :: visited[2] == 0 -> i = 2
#endif
#if P > 3
    :: visited[3] == 0 -> i = 3
#endif
#if P > 4
    :: visited[4] == 0 -> i = 4
#endif
#if P > 5
    :: visited[5] == 0 -> i = 5
#endif
    fi;
    visited[i] = 1;
    q = 0; any = 0;
    do
    :: q < G -> if :: pte[i * G + q] == 1 -> any = 1; pte[i * G + q] = 0 :: else fi; q++
    :: else -> break
    od;
    q = 0; i = 0;
    if
    :: any == 1 && irqs_off > 0 -> any = 0; goto flush
    :: else -> any = 0; NEXT_VMA
    fi
  }
flush:                        /* flush_tlb_range: a CPU has interrupts off */
  atomic { irqs_off == 0 -> NEXT_VMA }
ref_kill:                     /* memunmap_pages: percpu_ref_kill */
  atomic { dying = 1; if :: !HELD && users == 0 -> goto free :: else -> goto wait_refs fi }
wait_refs:                    /* memunmap_pages: wait for the pagemap references */
  atomic { !HELD && users == 0 -> goto free }
free:                         /* pageunmap_range: free the memmap */
  atomic { memmap = 0; STALE; goto end_done }
end_done:
  (false)
}
