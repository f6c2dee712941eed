/**
 * Every entry of KVM's API document that is x86's: what wraps it, what asserts it, what it needs.
 *
 * The names are those of the document's headings, of the ioctls of `<linux/kvm.h>`, and of the exits
 * of `struct kvm_run`. {@link file://./api_table.test.ts} holds the table against the document, the
 * API and the catalogue.
 */

/** One entry. */
export interface ApiEntry {
  /** The document's section; `kvm.h` for what has no heading of its own. */
  readonly section: string;
  /** `Class.method`, or `exit NAME` for a variant of `Exit`; nothing only with a reason. */
  readonly wrapped: readonly string[];
  /** Patterns of cases, and files of tests; nothing only with a reason. */
  readonly asserted: readonly string[];
  /** What a host must have; `basic` for nothing but KVM. */
  readonly needs: string;
  /** Why it is not wrapped, or not asserted. */
  readonly reason?: string;
}

type Row = readonly [
  section: string,
  wrapped: string,
  asserted: string,
  needs: string,
  reason?: string,
];

const enable = "Vm.enableCapability";
const enabling = (row: string) => `system/enable-capability~${row}`;

const ioctls: Record<string, Row> = {
  KVM_GET_API_VERSION: ["4.1", "Kvm.apiVersion", "system/api-version", "basic"],
  KVM_CREATE_VM: ["4.2", "Kvm.createVm", "system/create-vm*", "basic"],
  KVM_GET_MSR_INDEX_LIST: [
    "4.3",
    "Kvm.msrIndexList",
    "msr/index-list system/list-too-small~msr-index-list system/list-fits~msr-index-list",
    "basic",
  ],
  KVM_GET_MSR_FEATURE_INDEX_LIST: [
    "4.3",
    "Kvm.msrFeatureIndexList",
    "msr/feature-list system/list-too-small~msr-feature-index-list",
    "KVM_CAP_GET_MSR_FEATURES",
  ],
  KVM_CHECK_EXTENSION: [
    "4.4",
    "Kvm.checkExtension Vm.checkExtension",
    "system/check-extension",
    "basic",
  ],
  KVM_GET_VCPU_MMAP_SIZE: ["4.5", "Kvm.vcpuMmapSize", "system/api-version", "basic"],
  KVM_CREATE_VCPU: [
    "4.7",
    "Vm.createVcpu Vm.startVcpu",
    "limits/vcpu-id* limits/vcpus system/boot-cpu*",
    "basic",
  ],
  KVM_GET_DIRTY_LOG: ["4.8", "GuestMemory.dirtyLog", "memslot/dirty-log*", "basic"],
  KVM_RUN: ["4.10", "Vcpu.run Vcpu.complete", "exit/kick* exit/immediate-exit*", "basic"],
  KVM_GET_REGS: ["4.11", "Vcpu.regs", "exit/set-regs* state/regs*", "basic"],
  KVM_SET_REGS: ["4.12", "Vcpu.setRegs", "exit/set-regs* state/regs*", "basic"],
  KVM_GET_SREGS: ["4.13", "Vcpu.sregs", "exit/set-sregs*", "basic"],
  KVM_SET_SREGS: ["4.14", "Vcpu.setSregs", "exit/set-sregs* exit/set-sregs-refused*", "basic"],
  KVM_TRANSLATE: ["4.15", "Vcpu.translate", "state/translate*", "basic"],
  KVM_INTERRUPT: ["4.16", "Vcpu.interrupt", "interrupt/inject*", "basic"],
  KVM_GET_MSRS: [
    "4.18",
    "Vcpu.msrs Kvm.featureMsrs",
    "msr/get-partial* msr/too-many* msr/feature-list",
    "basic",
  ],
  KVM_SET_MSRS: ["4.19", "Vcpu.setMsrs", "msr/set-partial* msr/too-many*", "basic"],
  KVM_SET_CPUID: ["4.20", "Vcpu.setBasicCpuid", "state/cpuid*", "basic"],
  KVM_SET_CPUID2: ["kvm.h", "Vcpu.setCpuid", "cpuid/* state/cpuid*", "KVM_CAP_EXT_CPUID"],
  KVM_GET_CPUID2: ["kvm.h", "Vcpu.cpuid", "state/cpuid* cpuid/after-run*", "KVM_CAP_EXT_CPUID"],
  KVM_SET_SIGNAL_MASK: [
    "4.21",
    "Vm.createVcpu",
    "system/signal-mask* exit/kick* exit/runaway*",
    "basic",
  ],
  KVM_GET_FPU: ["4.22", "Vcpu.fpu", "state/fpu*", "basic"],
  KVM_SET_FPU: ["4.23", "Vcpu.setFpu", "state/fpu*", "basic"],
  KVM_CREATE_IRQCHIP: [
    "4.24",
    "Interrupts.createIrqchip",
    "system/irqchip-refused* interrupt/pic*",
    "KVM_CAP_IRQCHIP",
  ],
  KVM_IRQ_LINE: [
    "4.25",
    "Interrupts.setLine",
    "interrupt/pic-edge* interrupt/ioapic* interrupt/no-irqchip-errno",
    "KVM_CAP_IRQCHIP",
  ],
  KVM_IRQ_LINE_STATUS: [
    "kvm.h",
    "Interrupts.setLineStatus",
    "interrupt/irq-line-status*",
    "KVM_CAP_IRQ_INJECT_STATUS",
  ],
  KVM_GET_IRQCHIP: [
    "4.26",
    "Interrupts.chipState Interrupts.pic Interrupts.ioapic",
    "interrupt/pic-state interrupt/ioapic-state system/irqchip-refused*",
    "KVM_CAP_IRQCHIP",
  ],
  KVM_SET_IRQCHIP: [
    "4.27",
    "Interrupts.setChipState Interrupts.setPic Interrupts.setIoapic",
    "system/irqchip-state* system/ioapic-state* system/irqchip-refused*",
    "KVM_CAP_IRQCHIP",
  ],
  KVM_XEN_HVM_CONFIG: ["4.28", "Xen.setConfig", "system/xen-config*", "KVM_CAP_XEN_HVM"],
  KVM_GET_CLOCK: ["4.29", "Vm.clock", "system/clock*", "KVM_CAP_ADJUST_CLOCK"],
  KVM_SET_CLOCK: ["4.30", "Vm.setClock", "system/clock*", "KVM_CAP_ADJUST_CLOCK"],
  KVM_GET_VCPU_EVENTS: [
    "4.31",
    "Vcpu.events",
    "state/events* interrupt/events-flags",
    "KVM_CAP_VCPU_EVENTS",
  ],
  KVM_SET_VCPU_EVENTS: [
    "4.32",
    "Vcpu.setEvents",
    "state/events* interrupt/exception-inject*",
    "KVM_CAP_VCPU_EVENTS",
  ],
  KVM_GET_DEBUGREGS: [
    "4.33",
    "Vcpu.debugRegs",
    "state/debug-registers*",
    "KVM_CAP_DEBUGREGS",
  ],
  KVM_SET_DEBUGREGS: [
    "4.34",
    "Vcpu.setDebugRegs",
    "system/unknown-flags~debug-registers state/debug-registers*",
    "KVM_CAP_DEBUGREGS",
  ],
  KVM_SET_USER_MEMORY_REGION: [
    "4.35",
    "GuestMemory.setSlot GuestMemory.addRam",
    "memslot/create* memslot/move* memslot/delete*",
    "KVM_CAP_USER_MEMORY",
  ],
  KVM_SET_TSS_ADDR: ["4.36", "Vm.setTssAddress", "system/tss-address*", "KVM_CAP_SET_TSS_ADDR"],
  KVM_ENABLE_CAP: [
    "4.37",
    "Vm.enableCapability Vcpu.enableCapability",
    "system/enable-capability* system/unknown-flags~enable-capability",
    "KVM_CAP_ENABLE_CAP, KVM_CAP_ENABLE_CAP_VM",
  ],
  KVM_GET_MP_STATE: [
    "4.38",
    "Vcpu.mpState",
    "exit/mp-state* state/mp-state* system/boot-cpu*",
    "KVM_CAP_MP_STATE",
  ],
  KVM_SET_MP_STATE: [
    "4.39",
    "Vcpu.setMpState",
    "exit/mp-state* state/mp-state*",
    "KVM_CAP_MP_STATE",
  ],
  KVM_SET_IDENTITY_MAP_ADDR: [
    "4.40",
    "Vm.setIdentityMapAddress",
    "system/identity-map",
    "KVM_CAP_SET_IDENTITY_MAP_ADDR",
  ],
  KVM_SET_BOOT_CPU_ID: [
    "4.41",
    "Vm.setBootCpuId",
    "system/boot-cpu* limits/boot-cpu*",
    "KVM_CAP_SET_BOOT_CPU_ID",
  ],
  KVM_GET_XSAVE: ["4.42", "Vcpu.xsave", "state/xsave*", "KVM_CAP_XSAVE"],
  KVM_SET_XSAVE: ["4.43", "Vcpu.setXsave", "state/xsave* state/xsave-refused*", "KVM_CAP_XSAVE"],
  KVM_GET_XCRS: ["4.44", "Vcpu.xcrs", "state/xcr0*", "KVM_CAP_XCRS"],
  KVM_SET_XCRS: ["4.45", "Vcpu.setXcrs", "state/xcr0*", "KVM_CAP_XCRS"],
  KVM_GET_SUPPORTED_CPUID: [
    "4.46",
    "Kvm.supportedCpuid",
    "system/list-too-small~supported-cpuid system/list-fits~supported-cpuid",
    "KVM_CAP_EXT_CPUID",
  ],
  KVM_SET_GSI_ROUTING: [
    "4.52",
    "Interrupts.setRouting",
    "interrupt/routing* limits/irq-routes* limits/gsi* system/unknown-flags~routing*",
    "KVM_CAP_IRQ_ROUTING",
  ],
  KVM_SET_TSC_KHZ: [
    "4.55",
    "Vcpu.setTscKhz Vm.setTscKhz",
    "system/tsc-khz state/tsc*",
    "KVM_CAP_TSC_CONTROL, KVM_CAP_VM_TSC_CONTROL",
  ],
  KVM_GET_TSC_KHZ: [
    "4.56",
    "Vcpu.tscKhz Vm.tscKhz",
    "system/tsc-khz state/tsc*",
    "KVM_CAP_GET_TSC_KHZ, KVM_CAP_VM_TSC_CONTROL",
  ],
  KVM_GET_LAPIC: ["4.57", "Vcpu.lapic", "state/lapic* state/no-lapic*", "KVM_CAP_IRQCHIP"],
  KVM_SET_LAPIC: ["4.58", "Vcpu.setLapic", "state/lapic* state/no-lapic*", "KVM_CAP_IRQCHIP"],
  KVM_IOEVENTFD: [
    "4.59",
    "IoEvents.assign IoEvents.release",
    "pio/ioeventfd* mmio/ioeventfd* limits/ioeventfds",
    "KVM_CAP_IOEVENTFD",
  ],
  KVM_NMI: ["4.64", "Vcpu.nmi", "interrupt/nmi*", "KVM_CAP_USER_NMI"],
  KVM_SET_ONE_REG: [
    "4.68",
    "Vcpu.setOneRegister",
    "",
    "KVM_CAP_ONE_REG",
    "Linux 6.12's x86 has no registers to set in this way, and answers EINVAL",
  ],
  KVM_GET_ONE_REG: [
    "4.69",
    "Vcpu.oneRegister",
    "",
    "KVM_CAP_ONE_REG",
    "Linux 6.12's x86 has no registers to read in this way, and answers EINVAL",
  ],
  KVM_GET_REG_LIST: [
    "kvm.h",
    "",
    "",
    "KVM_CAP_ONE_REG",
    "the document has it for other architectures; Linux 6.12's x86 has no such list",
  ],
  KVM_KVMCLOCK_CTRL: [
    "4.70",
    "Vcpu.kvmclockControl",
    "system/kvmclock-control*",
    "KVM_CAP_KVMCLOCK_CTRL",
  ],
  KVM_SIGNAL_MSI: [
    "4.71",
    "Interrupts.signalMsi",
    "interrupt/msi* system/unknown-flags~msi",
    "KVM_CAP_SIGNAL_MSI",
  ],
  KVM_CREATE_PIT2: [
    "4.71",
    "Interrupts.createPit",
    "system/pit* timer/pit*",
    "KVM_CAP_PIT2",
  ],
  KVM_CREATE_PIT: ["kvm.h", "Interrupts.createPit1", "system/pit-ports~pit", "KVM_CAP_PIT"],
  KVM_GET_PIT: ["kvm.h", "Interrupts.pit", "system/pit~*", "KVM_CAP_PIT"],
  KVM_SET_PIT: ["kvm.h", "Interrupts.setPit", "system/pit-state*", "KVM_CAP_PIT"],
  KVM_GET_PIT2: [
    "4.72",
    "Interrupts.pit2",
    "system/pit~* system/pit-refused*",
    "KVM_CAP_PIT_STATE2",
  ],
  KVM_SET_PIT2: ["4.73", "Interrupts.setPit2", "system/pit-state*", "KVM_CAP_PIT_STATE2"],
  KVM_IRQFD: [
    "4.75",
    "Interrupts.assignEventFd Interrupts.releaseEventFd",
    "interrupt/irqfd* system/unknown-flags~irqfd",
    "KVM_CAP_IRQFD, KVM_CAP_IRQFD_RESAMPLE",
  ],
  KVM_CREATE_DEVICE: [
    "4.79",
    "Vm.createDevice Vm.hasDeviceType",
    "system/device*",
    "KVM_CAP_DEVICE_CTRL",
  ],
  KVM_SET_DEVICE_ATTR: [
    "4.80",
    "Device.setAttribute Vcpu.setTscOffset",
    "system/device* state/tsc*",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_VCPU_ATTRIBUTES",
  ],
  KVM_GET_DEVICE_ATTR: [
    "4.80",
    "Device.attribute Kvm.attribute Vcpu.tscOffset",
    "system/device* system/attribute",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_SYS_ATTRIBUTES",
  ],
  KVM_HAS_DEVICE_ATTR: [
    "4.81",
    "Device.hasAttribute Kvm.hasAttribute Vcpu.hasTscOffset",
    "system/device* system/attribute system/tsc-offset",
    "KVM_CAP_DEVICE_CTRL, KVM_CAP_SYS_ATTRIBUTES",
  ],
  KVM_SET_GUEST_DEBUG: [
    "4.87",
    "Vcpu.setGuestDebug",
    "exit/guest-debug* debug/*",
    "KVM_CAP_SET_GUEST_DEBUG",
  ],
  KVM_GET_EMULATED_CPUID: [
    "4.88",
    "Kvm.emulatedCpuid",
    "system/emulated-cpuid system/list-too-small~emulated-cpuid",
    "KVM_CAP_EXT_EMUL_CPUID",
  ],
  KVM_SMI: ["4.96", "Vcpu.smi", "smm/enter* smm/nesting*", "KVM_CAP_X86_SMM"],
  KVM_X86_SET_MSR_FILTER: [
    "4.97",
    "Vm.setMsrFilter",
    "msr/filter* limits/msr-filter-ranges*",
    "KVM_CAP_X86_MSR_FILTER",
  ],
  KVM_REINJECT_CONTROL: [
    "4.99",
    "Interrupts.setReinject",
    "system/pit-refused*",
    "KVM_CAP_REINJECT_CONTROL",
  ],
  KVM_X86_GET_MCE_CAP_SUPPORTED: [
    "4.104",
    "Kvm.mceCapSupported",
    "system/mce-capabilities",
    "KVM_CAP_MCE",
  ],
  KVM_X86_SETUP_MCE: [
    "4.105",
    "Vcpu.setupMce",
    "system/mce-capabilities state/machine-check*",
    "KVM_CAP_MCE",
  ],
  KVM_X86_SET_MCE: ["4.106", "Vcpu.setMce", "state/machine-check*", "KVM_CAP_MCE"],
  KVM_MEMORY_ENCRYPT_OP: [
    "4.110",
    "Encryption.check Encryption.command",
    "system/encryption",
    "a VM of type SEV, SEV-ES or SEV-SNP; without, ENOTTY",
  ],
  KVM_MEMORY_ENCRYPT_REG_REGION: [
    "4.111",
    "Encryption.registerRegion",
    "system/encryption",
    "a VM of type SEV, SEV-ES or SEV-SNP; without, ENOTTY",
  ],
  KVM_MEMORY_ENCRYPT_UNREG_REGION: [
    "4.112",
    "Encryption.unregisterRegion",
    "system/encryption",
    "a VM of type SEV, SEV-ES or SEV-SNP; without, ENOTTY",
  ],
  KVM_HYPERV_EVENTFD: [
    "4.113",
    "HyperV.assign HyperV.release",
    "system/hyperv-eventfd",
    "KVM_CAP_HYPERV_EVENTFD",
  ],
  KVM_GET_NESTED_STATE: [
    "4.114",
    "Vcpu.nestedState",
    "system/nested-state",
    "KVM_CAP_NESTED_STATE",
  ],
  KVM_SET_NESTED_STATE: [
    "4.115",
    "Vcpu.setNestedState",
    "system/nested-state",
    "KVM_CAP_NESTED_STATE",
  ],
  KVM_REGISTER_COALESCED_MMIO: [
    "4.116",
    "IoEvents.coalesce",
    "mmio/coalesced* limits/coalesced-zones",
    "KVM_CAP_COALESCED_MMIO, KVM_CAP_COALESCED_PIO",
  ],
  KVM_UNREGISTER_COALESCED_MMIO: [
    "4.116",
    "IoEvents.stopCoalescing",
    "mmio/coalesced* limits/coalesced-zones",
    "KVM_CAP_COALESCED_MMIO, KVM_CAP_COALESCED_PIO",
  ],
  KVM_CLEAR_DIRTY_LOG: [
    "4.117",
    "GuestMemory.clearDirtyLog",
    "memslot/clear-dirty-log*",
    "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
  ],
  KVM_GET_SUPPORTED_HV_CPUID: [
    "4.118",
    "Kvm.supportedHypervCpuid Vcpu.supportedHypervCpuid",
    "system/hyperv-cpuid* system/list-too-small~supported-hyperv-cpuid",
    "KVM_CAP_SYS_HYPERV_CPUID, KVM_CAP_HYPERV_CPUID",
  ],
  KVM_SET_PMU_EVENT_FILTER: [
    "4.120",
    "Vm.setPmuEventFilter",
    "system/pmu-filter*",
    "KVM_CAP_PMU_EVENT_FILTER",
  ],
  KVM_XEN_HVM_SET_ATTR: ["4.126", "Xen.setAttribute", "system/xen-attribute*", "KVM_CAP_XEN_HVM"],
  KVM_XEN_HVM_GET_ATTR: ["4.127", "Xen.attribute", "system/xen-attribute*", "KVM_CAP_XEN_HVM"],
  KVM_XEN_VCPU_SET_ATTR: [
    "4.128",
    "XenVcpu.setAttribute",
    "system/xen-vcpu-attribute",
    "KVM_CAP_XEN_HVM",
  ],
  KVM_XEN_VCPU_GET_ATTR: [
    "4.129",
    "XenVcpu.attribute",
    "system/xen-vcpu-attribute",
    "KVM_CAP_XEN_HVM",
  ],
  KVM_GET_SREGS2: ["4.131", "Vcpu.sregs2", "state/sregs2*", "KVM_CAP_SREGS2"],
  KVM_SET_SREGS2: ["4.132", "Vcpu.setSregs2", "state/sregs2*", "KVM_CAP_SREGS2"],
  KVM_GET_STATS_FD: [
    "4.133",
    "Vm.statistics Vcpu.statistics Statistics.read",
    "stats/*",
    "KVM_CAP_BINARY_STATS_FD",
  ],
  KVM_GET_XSAVE2: ["4.134", "Vcpu.xsave Vcpu.xsaveSize", "state/xsave*", "KVM_CAP_XSAVE2"],
  KVM_XEN_HVM_EVTCHN_SEND: [
    "4.135",
    "Xen.sendEvent",
    "system/xen-event",
    "KVM_CAP_XEN_HVM with KVM_XEN_HVM_CONFIG_EVTCHN_SEND",
  ],
  KVM_SET_USER_MEMORY_REGION2: [
    "4.140",
    "GuestMemory.setSlot2",
    "system/slot-2* system/guest-memfd-slot",
    "KVM_CAP_USER_MEMORY2",
  ],
  KVM_SET_MEMORY_ATTRIBUTES: [
    "4.141",
    "GuestMemory.setAttributes",
    "system/memory-attributes system/guest-memfd-slot",
    "KVM_CAP_MEMORY_ATTRIBUTES",
  ],
  KVM_CREATE_GUEST_MEMFD: [
    "4.142",
    "GuestMemory.createFile",
    "system/guest-memfd*",
    "KVM_CAP_GUEST_MEMFD",
  ],
  KVM_PRE_FAULT_MEMORY: ["4.143", "Vcpu.preFault", "system/pre-fault", "KVM_CAP_PRE_FAULT_MEMORY"],
  KVM_RESET_DIRTY_RINGS: [
    "kvm.h",
    "GuestMemory.resetDirtyRings DirtyRing.harvest",
    "system/dirty-ring*",
    "KVM_CAP_DIRTY_LOG_RING",
  ],
  KVM_SET_NR_MMU_PAGES: [
    "kvm.h",
    "Vm.setMmuPages",
    "system/mmu-pages",
    "KVM_CAP_MMU_SHADOW_CACHE_CONTROL",
  ],
  KVM_GET_NR_MMU_PAGES: [
    "kvm.h",
    "Vm.mmuPages",
    "system/mmu-pages",
    "a kernel before 6.3",
  ],
  KVM_TPR_ACCESS_REPORTING: [
    "kvm.h",
    "Vcpu.setTprAccessReporting",
    "system/tpr-access",
    "KVM_CAP_VAPIC",
  ],
  KVM_SET_VAPIC_ADDR: ["kvm.h", "Vcpu.setVapicAddress", "system/vapic*", "KVM_CAP_VAPIC"],
};

const exits: Record<string, Row> = {
  KVM_EXIT_UNKNOWN: [
    "5",
    "exit unknown",
    "tests/decode_exit.test.ts",
    "a processor that leaves the guest for a reason that KVM does not know",
  ],
  KVM_EXIT_FAIL_ENTRY: ["5", "exit fail-entry", "exit/fail-entry*", "vmx or svm"],
  KVM_EXIT_EXCEPTION: [
    "5",
    "exit exception",
    "tests/decode_exit.test.ts",
    "nothing makes it on x86 today",
  ],
  KVM_EXIT_IO: ["5", "exit pio", "pio/*", "basic"],
  KVM_EXIT_DEBUG: ["5", "exit debug", "exit/guest-debug* debug/*", "KVM_CAP_SET_GUEST_DEBUG"],
  KVM_EXIT_MMIO: ["5", "exit mmio", "mmio/*", "basic"],
  KVM_EXIT_HYPERCALL: [
    "5",
    "exit hypercall",
    "paravirt/map-range*",
    "KVM_CAP_EXIT_HYPERCALL",
  ],
  KVM_EXIT_TPR_ACCESS: [
    "5",
    "exit tpr-access",
    "tests/decode_exit.test.ts",
    "KVM_CAP_VAPIC, and a processor without a virtual TPR",
  ],
  KVM_EXIT_SYSTEM_EVENT: [
    "5",
    "exit system-event",
    "tests/decode_exit.test.ts",
    "KVM_CAP_SYSTEM_EVENT_DATA; a guest of Hyper-V or SEV-ES",
  ],
  KVM_EXIT_IOAPIC_EOI: [
    "5",
    "exit ioapic-eoi",
    "interrupt/split-ioapic-eoi*",
    "KVM_CAP_SPLIT_IRQCHIP",
  ],
  KVM_EXIT_HYPERV: [
    "5",
    "exit hyperv-synic",
    "tests/decode_exit.test.ts hyperv/synic*",
    "KVM_CAP_HYPERV_SYNIC",
  ],
  KVM_EXIT_X86_RDMSR: [
    "5",
    "exit rdmsr",
    "exit/user-space-msr* msr/filter-exit*",
    "KVM_CAP_X86_USER_SPACE_MSR",
  ],
  KVM_EXIT_X86_WRMSR: [
    "5",
    "exit wrmsr",
    "exit/user-space-msr* msr/filter-exit*",
    "KVM_CAP_X86_USER_SPACE_MSR",
  ],
  KVM_EXIT_XEN: [
    "5",
    "exit xen-hypercall",
    "tests/decode_exit.test.ts xen/hypercall*",
    "KVM_CAP_XEN_HVM",
  ],
  KVM_EXIT_MEMORY_FAULT: [
    "5",
    "exit memory-fault",
    "tests/decode_exit.test.ts",
    "KVM_CAP_MEMORY_FAULT_INFO, and a VM with private memory",
  ],
  KVM_EXIT_NOTIFY: [
    "5",
    "exit notify",
    "tests/decode_exit.test.ts",
    "KVM_CAP_X86_NOTIFY_VMEXIT: a processor with notify VM exits",
  ],
  KVM_EXIT_HLT: ["kvm.h", "exit hlt", "exit/hlt*", "basic"],
  KVM_EXIT_IRQ_WINDOW_OPEN: ["kvm.h", "exit irq-window", "interrupt/window*", "basic"],
  KVM_EXIT_SHUTDOWN: ["kvm.h", "exit shutdown", "exit/shutdown*", "basic"],
  KVM_EXIT_INTR: ["kvm.h", "exit unknown", "tests/vcpu.test.ts tests/decode_exit.test.ts", "basic"],
  KVM_EXIT_SET_TPR: ["kvm.h", "exit set-tpr", "exit/set-tpr", "basic"],
  KVM_EXIT_NMI: [
    "kvm.h",
    "exit nmi",
    "tests/decode_exit.test.ts",
    "an NMI of the host's, which no test should make",
  ],
  KVM_EXIT_INTERNAL_ERROR: ["kvm.h", "exit internal-error", "exit/internal-error*", "basic"],
  KVM_EXIT_DIRTY_RING_FULL: [
    "kvm.h",
    "exit dirty-ring-full",
    "system/dirty-ring-full*",
    "KVM_CAP_DIRTY_LOG_RING",
  ],
  KVM_EXIT_AP_RESET_HOLD: [
    "kvm.h",
    "exit ap-reset-hold",
    "tests/decode_exit.test.ts",
    "a VM of type SEV-ES",
  ],
  KVM_EXIT_X86_BUS_LOCK: [
    "kvm.h",
    "exit bus-lock",
    "tests/decode_exit.test.ts",
    "KVM_CAP_X86_BUS_LOCK_EXIT: a processor with bus-lock detection",
  ],
};

const capabilities: Record<string, Row> = {
  KVM_CAP_SYNC_REGS: [
    "6.74",
    "SharedRegisters.store SharedRegisters.setRegs",
    "state/sync-regs*",
    "KVM_CAP_SYNC_REGS",
  ],
  KVM_CAP_SPLIT_IRQCHIP: [
    "7.5",
    enable,
    `interrupt/split* limits/split-pins* ${enabling("split-irqchip*")}`,
    "KVM_CAP_SPLIT_IRQCHIP",
  ],
  KVM_CAP_X2APIC_API: [
    "7.7",
    enable,
    enabling("x2apic-api"),
    "KVM_CAP_X2APIC_API",
  ],
  KVM_CAP_X86_DISABLE_EXITS: [
    "7.13",
    enable,
    enabling("disable-exits"),
    "KVM_CAP_X86_DISABLE_EXITS",
  ],
  KVM_CAP_MSR_PLATFORM_INFO: [
    "7.15",
    enable,
    enabling("msr-platform-info"),
    "KVM_CAP_MSR_PLATFORM_INFO",
  ],
  KVM_CAP_EXCEPTION_PAYLOAD: [
    "7.17",
    enable,
    `interrupt/exception-pending* ${enabling("exception-payload")}`,
    "KVM_CAP_EXCEPTION_PAYLOAD",
  ],
  KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: [
    "7.18",
    enable,
    `memslot/manual-protect memslot/dirty-log-initially-set ${
      enabling("manual-dirty-log-protect")
    }`,
    "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
  ],
  KVM_CAP_HALT_POLL: ["7.20", enable, enabling("halt-poll"), "KVM_CAP_HALT_POLL"],
  KVM_CAP_X86_USER_SPACE_MSR: [
    "7.21",
    enable,
    `exit/user-space-msr* ${enabling("user-space-msr")}`,
    "KVM_CAP_X86_USER_SPACE_MSR",
  ],
  KVM_CAP_X86_BUS_LOCK_EXIT: [
    "7.22",
    enable,
    enabling("bus-lock-exit"),
    "KVM_CAP_X86_BUS_LOCK_EXIT",
  ],
  KVM_CAP_VM_COPY_ENC_CONTEXT_FROM: [
    "7.24",
    enable,
    enabling("copy-encryption-context"),
    "a VM of type SEV to copy from",
  ],
  KVM_CAP_SGX_ATTRIBUTE: ["7.25", enable, enabling("sgx-attribute"), "KVM_CAP_SGX_ATTRIBUTE"],
  KVM_CAP_EXIT_ON_EMULATION_FAILURE: [
    "7.27",
    enable,
    `exit/exit-on-emulation-failure* ${enabling("exit-on-emulation-failure")}`,
    "KVM_CAP_EXIT_ON_EMULATION_FAILURE",
  ],
  KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM: [
    "7.29",
    enable,
    enabling("move-encryption-context"),
    "a VM of type SEV to move from",
  ],
  KVM_CAP_DISABLE_QUIRKS2: [
    "7.31",
    enable,
    `quirk/* ${enabling("disable-quirks")}`,
    "KVM_CAP_DISABLE_QUIRKS2",
  ],
  KVM_CAP_MAX_VCPU_ID: [
    "7.32",
    enable,
    `limits/vcpu-id-lowered* ${enabling("max-vcpu-id*")}`,
    "KVM_CAP_MAX_VCPU_ID",
  ],
  KVM_CAP_X86_NOTIFY_VMEXIT: [
    "7.33",
    enable,
    enabling("notify-vmexit*"),
    "KVM_CAP_X86_NOTIFY_VMEXIT",
  ],
  KVM_CAP_MEMORY_FAULT_INFO: [
    "7.34",
    enable,
    enabling("memory-fault-info"),
    "KVM_CAP_MEMORY_FAULT_INFO",
  ],
  KVM_CAP_X86_APIC_BUS_CYCLES_NS: [
    "7.35",
    enable,
    enabling("apic-bus-cycles*"),
    "KVM_CAP_X86_APIC_BUS_CYCLES_NS",
  ],
  KVM_CAP_X86_GUEST_MODE: ["7.36", enable, enabling("guest-mode"), "KVM_CAP_X86_GUEST_MODE"],
  KVM_CAP_HYPERV_SYNIC: [
    "8.2",
    "Vcpu.enableCapability",
    "hyperv/synic*",
    "KVM_CAP_HYPERV_SYNIC",
  ],
  KVM_CAP_HYPERV_SYNIC2: [
    "8.11",
    "Vcpu.enableCapability",
    "hyperv/synic*",
    "KVM_CAP_HYPERV_SYNIC2",
  ],
  KVM_CAP_HYPERV_VP_INDEX: ["8.12", "Vcpu.setMsrs", "hyperv/msr*", "KVM_CAP_HYPERV_VP_INDEX"],
  KVM_CAP_HYPERV_TLBFLUSH: [
    "8.18",
    "Vcpu.setCpuid",
    "hyperv/hypercall*",
    "KVM_CAP_HYPERV_TLBFLUSH",
  ],
  KVM_CAP_HYPERV_SEND_IPI: [
    "8.20",
    "Vcpu.setCpuid",
    "",
    "KVM_CAP_HYPERV_SEND_IPI",
    "it says that a guest's hypercalls send IPIs; no case of Hyper-V's has a second vCPU to send to",
  ],
  KVM_CAP_HYPERV_DIRECT_TLBFLUSH: [
    "8.21",
    "Vcpu.enableCapability",
    "",
    "KVM_CAP_HYPERV_DIRECT_TLBFLUSH: KVM on Hyper-V",
    "it hides KVM from a guest that is Hyper-V itself, on a host that runs under Hyper-V",
  ],
  KVM_CAP_STEAL_TIME: ["8.24", "Vcpu.setMsrs", "paravirt/steal-time*", "KVM_CAP_STEAL_TIME"],
  KVM_CAP_X86_MSR_FILTER: ["8.27", "Vm.setMsrFilter", "msr/filter*", "KVM_CAP_X86_MSR_FILTER"],
  KVM_CAP_ENFORCE_PV_FEATURE_CPUID: [
    "8.28",
    "Vcpu.enableCapability",
    "paravirt/* tests/vcpu.test.ts",
    "KVM_CAP_ENFORCE_PV_FEATURE_CPUID",
  ],
  KVM_CAP_DIRTY_LOG_RING: [
    "8.29",
    enable,
    `system/dirty-ring* limits/dirty-ring* ${enabling("dirty-ring*")}`,
    "KVM_CAP_DIRTY_LOG_RING",
  ],
  KVM_CAP_DIRTY_LOG_RING_ACQ_REL: [
    "8.29",
    enable,
    enabling("dirty-ring-ordered"),
    "KVM_CAP_DIRTY_LOG_RING_ACQ_REL",
  ],
  KVM_CAP_XEN_HVM: ["8.30", "Xen.setConfig Xen.setAttribute", "system/xen*", "KVM_CAP_XEN_HVM"],
  KVM_CAP_HYPERV_ENFORCE_CPUID: [
    "8.33",
    "Vcpu.enableCapability",
    "hyperv/*",
    "KVM_CAP_HYPERV_ENFORCE_CPUID",
  ],
  KVM_CAP_EXIT_HYPERCALL: [
    "8.34",
    enable,
    `paravirt/map-range* ${enabling("exit-hypercall")}`,
    "KVM_CAP_EXIT_HYPERCALL",
  ],
  KVM_CAP_PMU_CAPABILITY: ["8.35", enable, enabling("pmu-capability*"), "KVM_CAP_PMU_CAPABILITY"],
  KVM_CAP_VM_DISABLE_NX_HUGE_PAGES: [
    "8.38",
    enable,
    enabling("disable-nx-huge-pages*"),
    "KVM_CAP_VM_DISABLE_NX_HUGE_PAGES, CAP_SYS_BOOT",
  ],
  KVM_CAP_VM_TYPES: ["8.41", "Kvm.createVm", "system/create-vm~every-type", "KVM_CAP_VM_TYPES"],
};

function split(words: string): string[] {
  return words.split(" ").filter((word) => word !== "");
}

/** The table, by the entries' names. */
export const apiTable: ReadonlyMap<string, ApiEntry> = new Map(
  [ioctls, exits, capabilities].flatMap((part) => Object.entries(part)).map(
    ([name, [section, wrapped, asserted, needs, reason]]) => [name, {
      section,
      wrapped: wrapped.startsWith("exit ") ? [wrapped] : split(wrapped),
      asserted: split(asserted),
      needs,
      reason,
    }],
  ),
);
