/** The bus: driver core, pciehp, acpiphp, ACPI memory, virtio-mem, CXL. Rows "B n" are those of docs/kernel-truth. */
import type { Declarations } from '../mechanism.ts';

export const BUS = {
  'bus.unbind-can-fail': {
    allowed: [false, true],
    default: false,
    meaning: 'a driver\'s remove may refuse and the unbind write then fails',
    source: 'drivers/base/dd.c, __device_release_driver(): the result of remove is not used, 5.2 to 7.2',
  },
  'bus.bind-returns-probe-error': {
    allowed: [false, true],
    default: true,
    meaning: 'a write to bind gives the errno of the driver\'s probe; where false it gives ENODEV whatever the probe said',
    source: 'drivers/base/dd.c, device_driver_attach(), 5.14: "driver core: Flow the return code from ->probe() through to sysfs bind" (ef6dcbdd8eb2); measured: B 3 (a)',
  },
  'bus.pciehp-asks-driver': {
    allowed: [false, true],
    default: false,
    meaning: 'pciehp asks the driver of a device whether it is in use before it takes the power away',
    source: 'drivers/pci/hotplug/pciehp_ctrl.c, pciehp_disable_slot(); measured: B 8, PCIe slots',
  },
  'bus.pciehp-button-seconds': {
    allowed: [5],
    default: 5,
    meaning: 'seconds between the attention button and the power-off, in which a second press cancels',
    source: 'drivers/pci/hotplug/pciehp_ctrl.c, pciehp_handle_button_press(); measured: B 8',
  },
  'bus.cxl-regions': {
    allowed: ['none', 'pmem', 'ram-and-pmem'],
    default: 'ram-and-pmem',
    meaning: 'which CXL regions this kernel can make',
    source: 'drivers/cxl/core/region.c, 6.0 (pmem), 6.3 (ram)',
  },
  'bus.cxl-teardown-asks-memory': {
    allowed: [false, true],
    default: false,
    meaning: 'unbinding cxl_mem or cxl_pci, or writing 0 to a region\'s commit, asks whether memory of the region is online before the decoders are torn down',
    source: 'drivers/cxl/core/region.c, cxl_region_decode_reset(); measured: B 8',
  },
  'bus.cxl-region-lock': {
    allowed: [false, true],
    default: true,
    meaning: 'a region with locked decoders is known as such: commit refuses to tear it down (EPERM) and the decoders are left alone; where false the kernel writes to registers that do not change',
    source: 'drivers/cxl/core/region.c, 6.19: "cxl: Add handling of locked CXL decoder" (CXL_REGION_F_LOCK)',
  },
  'bus.pciehp-button-text': {
    allowed: ['powering', 'will-power'],
    default: 'will-power',
    meaning: 'what pciehp logs for the attention button: "Attention button pressed" and "Powering off due to button press", or "Button press: will power off in 5 sec"',
    source: 'drivers/pci/hotplug/pciehp_ctrl.c; measured: B 8 (6.1 and 7.2)',
  },
  'bus.acpi-eject-offlines': {
    allowed: [false, true],
    default: true,
    meaning: 'an ACPI eject request offlines the memory blocks of the device first',
    source: 'drivers/acpi/scan.c, acpi_scan_hot_remove(), acpi_bus_offline(); measured: B 7',
  },
  'bus.acpi-eject-on-unmovable': {
    allowed: ['busy'],
    default: 'busy',
    meaning: 'an eject that meets an unmovable page: blocks go back online, _OST says device busy (0x82)',
    source: 'drivers/acpi/scan.c; measured: B 7 (7.2)',
  },
  'bus.virtio-mem-remove-with-memory': {
    allowed: ['keeps'],
    default: 'keeps',
    meaning: 'virtio_mem\'s remove with memory still added: leaves memory and resource in place ("device still has system memory added")',
    source: 'drivers/virtio/virtio_mem.c, virtio_mem_remove(); measured: B 6',
  },
  'bus.virtio-mem-rebind': {
    allowed: ['refused'],
    default: 'refused',
    meaning: 'probe of virtio_mem with its resource still there: EBUSY ("reloading the driver is not supported")',
    source: 'drivers/virtio/virtio_mem.c, virtio_mem_create_resource(); measured: B 6',
  },
  'bus.virtio-pmem-rebind': {
    allowed: ['returns', 'name-held'],
    default: 'name-held',
    meaning: 'whether /dev/pmemN comes back when virtio_pmem is bound again while the old file system is still mounted',
    source: 'measured: B 6, virtio-pmem (7.2: does not; 5.10, 6.1, 6.12: does)',
  },
} as const satisfies Declarations;
