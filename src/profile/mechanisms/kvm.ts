/** KVM and device memory: virt/kvm/kvm_main.c, arch/x86/kvm/mmu. */
import type { Declarations } from '../mechanism.ts';

export const KVM = {
  'kvm.reference-test': {
    allowed: ['valid-and-not-reserved', 'pagemap-flag', 'reserved-and-not-zone-device', 'refcounted-page'],
    default: 'refcounted-page',
    meaning: 'which pfns KVM takes for refcounted memory: pfn_valid() and not PageReserved; the same plus a flag of the pagemap; PageReserved with zone-device pages excepted; whatever GUP gave a page for',
    source: 'virt/kvm/kvm_main.c: kvm_is_reserved_pfn() before 5.4; 5.4: "KVM: MMU: Do not treat ZONE_DEVICE pages as being reserved"; 6.13: "KVM: Track refcounted pages in struct kvm_follow_pfn"',
  },
  'kvm.dirties-zone-device': {
    allowed: [false, true],
    default: false,
    meaning: 'KVM sets the dirty and accessed bits of the struct page also for zone-device pages',
    source: 'virt/kvm/kvm_main.c 5.4, kvm_set_pfn_dirty(): not for kvm_is_zone_device_pfn()',
  },
  'kvm.mmu-notifier': {
    allowed: [false, true],
    default: true,
    meaning: 'an unmap of the host mapping also takes the guest\'s second-level entry away (mmu_notifier_invalidate_range)',
    source: 'virt/kvm/kvm_main.c, kvm_mmu_notifier_invalidate_range_start(), 5.2 to 7.2',
  },
} as const satisfies Declarations;
