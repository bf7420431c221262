/* The protocol of src/explore/protocols/gup-removal.ts, which has nothing but its variables: one atomic step here for each step there.
 * -DP=processes -DG=pages -DWRONG for the wrong order, -DCHECK to stop at the use of a page that is gone. */
#ifndef P
#define P 2
#endif
#ifndef G
#define G 1
#endif
#ifdef CHECK
#define USE assert(memmap == 1)
#else
#define USE if :: memmap == 0 -> bad = 1 :: else fi
#endif

byte alive = 1, memmap = 1, irqs_off, srcu, bad;
byte pte[P * G], walked[P], refs[G];

active [P] proctype user() {
  byte g;
  skip;
look:
  atomic {
    if
    :: g = 0
#if G > 1
    :: g = 1
#endif
#if G > 2
    :: g = 2
#endif
    fi;
    if
    :: pte[_pid * G + g] == 0 -> goto fault
    :: pte[_pid * G + g] == 1 -> USE; g = 0; goto look
    :: pte[_pid * G + g] == 1 -> irqs_off++; goto take
    fi
  }
fault:
  atomic {
    if
    :: alive == 0 -> g = 0; goto look
    :: else -> srcu++; goto insert
    fi
  }
insert:
  atomic { pte[_pid * G + g] = 1; srcu--; g = 0; goto look }
take:
  atomic { USE; refs[g]++; goto recheck }
recheck:
  atomic {
    irqs_off--;
    if
    :: pte[_pid * G + g] == 0 -> refs[g]--; g = 0; goto look
    :: else -> goto put
    fi
  }
put:
  atomic { USE; refs[g]--; g = 0; goto look }
}

active proctype remover() {
  byte i, p, q;
  skip;
#ifndef WRONG
  alive = 0;
  (srcu == 0);
#endif
unmap:
  atomic {
    if
    :: walked[0] == 0 -> p = 0
#if P > 1
    :: walked[1] == 0 -> p = 1
#endif
#if P > 2
    :: walked[2] == 0 -> p = 2
#endif
#if P > 3
    :: walked[3] == 0 -> p = 3
#endif
#if P > 4
    :: walked[4] == 0 -> p = 4
#endif
    fi;
    q = 0;
    do
    :: q < G -> pte[p * G + q] = 0; q++
    :: else -> break
    od;
    q = 0; walked[p] = 1; p = 0; i++;
    if
    :: i < P -> goto unmap
    :: else -> i = 0; goto flush
    fi
  }
flush:
  (irqs_off == 0);
#ifdef WRONG
  alive = 0;
  (srcu == 0);
#endif
  (refs[0] == 0);
#if G > 1
  (refs[1] == 0);
#endif
#if G > 2
  (refs[2] == 0);
#endif
  memmap = 0;
end_done:
  (false)
}
