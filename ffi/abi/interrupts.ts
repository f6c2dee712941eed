/** Structures of interrupts and timers: irqchips, PIT, routing, eventfds, clock. @module */

/** An interrupt to queue for the vCPU. `KVM_INTERRUPT`. */
export const kvm_interrupt = {
  name: "kvm_interrupt",
  size: 4,
  fields: { irq: [0, "u32"] },
} as const;

/** The level of a GSI. `KVM_IRQ_LINE`, `KVM_IRQ_LINE_STATUS`. */
export const kvm_irq_level = {
  name: "kvm_irq_level",
  size: 8,
  fields: { irq: [0, "u32"], level: [4, "u32"] },
} as const;

/** The answer: above 0 vCPUs reached, 0 coalesced, below 0 masked. `KVM_IRQ_LINE_STATUS`. */
export const kvm_irq_level_status = {
  name: "kvm_irq_level",
  size: 8,
  fields: { status: [0, "s32"], level: [4, "u32"] },
} as const;

/** One 8259A. Part of `kvm_irqchip`. */
export const kvm_pic_state = {
  name: "kvm_pic_state",
  size: 16,
  fields: {
    last_irr: [0, "u8"],
    irr: [1, "u8"],
    imr: [2, "u8"],
    isr: [3, "u8"],
    priority_add: [4, "u8"],
    irq_base: [5, "u8"],
    read_reg_select: [6, "u8"],
    poll: [7, "u8"],
    special_mask: [8, "u8"],
    init_state: [9, "u8"],
    auto_eoi: [10, "u8"],
    rotate_on_auto_eoi: [11, "u8"],
    special_fully_nested_mode: [12, "u8"],
    init4: [13, "u8"],
    elcr: [14, "u8"],
    elcr_mask: [15, "u8"],
  },
} as const;

/**
 * The I/O APIC, its redirection entries as 64-bit values ({@linkcode kvm_ioapic_redirection_entry}).
 * Part of `kvm_irqchip`.
 */
export const kvm_ioapic_state = {
  name: "kvm_ioapic_state",
  size: 216,
  fields: {
    base_address: [0, "u64"],
    ioregsel: [8, "u32"],
    id: [12, "u32"],
    irr: [16, "u32"],
    redirtbl: [24, "u64", 24],
  },
} as const;

/** A redirection entry's bit fields as `[lowest bit, width in bits]`. In `kvm_ioapic_state.redirtbl`. */
export const kvm_ioapic_redirection_entry = {
  vector: [0, 8],
  delivery_mode: [8, 3],
  dest_mode: [11, 1],
  delivery_status: [12, 1],
  polarity: [13, 1],
  remote_irr: [14, 1],
  trig_mode: [15, 1],
  mask: [16, 1],
  dest_id: [56, 8],
} as const;

/** The head of an interrupt controller's state. `KVM_GET_IRQCHIP`, `KVM_SET_IRQCHIP`. */
export const kvm_irqchip = {
  name: "kvm_irqchip",
  size: 520,
  fields: { chip_id: [0, "u32"] },
} as const;

/** The state of `KVM_IRQCHIP_PIC_MASTER` or `_SLAVE`. `KVM_GET_IRQCHIP`, `KVM_SET_IRQCHIP`. */
export const kvm_irqchip_pic = {
  name: "kvm_irqchip",
  size: 520,
  fields: {
    chip_id: [0, "u32"],
    chip: [8, { size: 512, fields: { pic: [0, kvm_pic_state] } }],
  },
} as const;

/** The state of `KVM_IRQCHIP_IOAPIC`. `KVM_GET_IRQCHIP`, `KVM_SET_IRQCHIP`. */
export const kvm_irqchip_ioapic = {
  name: "kvm_irqchip",
  size: 520,
  fields: {
    chip_id: [0, "u32"],
    chip: [8, { size: 512, fields: { ioapic: [0, kvm_ioapic_state] } }],
  },
} as const;

/** The local APIC's register page, registers 16 bytes apart. `KVM_GET_LAPIC`, `KVM_SET_LAPIC`. */
export const kvm_lapic_state = {
  name: "kvm_lapic_state",
  size: 1024,
  fields: { regs: [0, "u8", 1024] },
} as const;

/** How the PIT is made. `KVM_CREATE_PIT2`. */
export const kvm_pit_config = {
  name: "kvm_pit_config",
  size: 64,
  fields: { flags: [0, "u32"] },
} as const;

/** One channel of the 8254; `count_load_time` in ns. Part of `kvm_pit_state` and `kvm_pit_state2`. */
export const kvm_pit_channel_state = {
  name: "kvm_pit_channel_state",
  size: 24,
  fields: {
    count: [0, "u32"],
    latched_count: [4, "u16"],
    count_latched: [6, "u8"],
    status_latched: [7, "u8"],
    status: [8, "u8"],
    read_state: [9, "u8"],
    write_state: [10, "u8"],
    write_latch: [11, "u8"],
    rw_mode: [12, "u8"],
    mode: [13, "u8"],
    bcd: [14, "u8"],
    gate: [15, "u8"],
    count_load_time: [16, "s64"],
  },
} as const;

/** The PIT's channels. `KVM_GET_PIT`, `KVM_SET_PIT`. */
export const kvm_pit_state = {
  name: "kvm_pit_state",
  size: 72,
  fields: { channels: [0, kvm_pit_channel_state, 3] },
} as const;

/** The PIT's channels and flags. `KVM_GET_PIT2`, `KVM_SET_PIT2`. */
export const kvm_pit_state2 = {
  name: "kvm_pit_state2",
  size: 112,
  fields: { channels: [0, kvm_pit_channel_state, 3], flags: [72, "u32"] },
} as const;

/** Whether lost PIT ticks are injected later. `KVM_REINJECT_CONTROL`. */
export const kvm_reinject_control = {
  name: "kvm_reinject_control",
  size: 32,
  fields: { pit_reinject: [0, "u8"] },
} as const;

/** The head of a list of `kvm_irq_routing_entry`. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing = {
  name: "kvm_irq_routing",
  size: 8,
  fields: { nr: [0, "u32"], flags: [4, "u32"] },
  tail: "entries",
} as const;

/** A route to a pin of an irqchip. Part of `kvm_irq_routing_entry`. */
export const kvm_irq_routing_irqchip = {
  name: "kvm_irq_routing_irqchip",
  size: 8,
  fields: { irqchip: [0, "u32"], pin: [4, "u32"] },
} as const;

/** A route to a message. Part of `kvm_irq_routing_entry`. */
export const kvm_irq_routing_msi = {
  name: "kvm_irq_routing_msi",
  size: 16,
  fields: {
    address_lo: [0, "u32"],
    address_hi: [4, "u32"],
    data: [8, "u32"],
    devid: [12, "u32"],
  },
} as const;

/** A route to a Hyper-V synthetic interrupt source. Part of `kvm_irq_routing_entry`. */
export const kvm_irq_routing_hv_sint = {
  name: "kvm_irq_routing_hv_sint",
  size: 8,
  fields: { vcpu: [0, "u32"], sint: [4, "u32"] },
} as const;

/** A Xen event channel. Part of `kvm_irq_routing_entry`; `KVM_XEN_HVM_EVTCHN_SEND`. */
export const kvm_irq_routing_xen_evtchn = {
  name: "kvm_irq_routing_xen_evtchn",
  size: 12,
  fields: { port: [0, "u32"], vcpu: [4, "u32"], priority: [8, "u32"] },
} as const;

/** The head of a route: which GSI, and of which `KVM_IRQ_ROUTING_*` type. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing_entry = {
  name: "kvm_irq_routing_entry",
  size: 48,
  fields: { gsi: [0, "u32"], type: [4, "u32"], flags: [8, "u32"] },
} as const;

/** A route of type `KVM_IRQ_ROUTING_IRQCHIP`. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing_entry_irqchip = {
  name: "kvm_irq_routing_entry",
  size: 48,
  fields: {
    gsi: [0, "u32"],
    type: [4, "u32"],
    flags: [8, "u32"],
    u: [16, { size: 32, fields: { irqchip: [0, kvm_irq_routing_irqchip] } }],
  },
} as const;

/** A route of type `KVM_IRQ_ROUTING_MSI`. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing_entry_msi = {
  name: "kvm_irq_routing_entry",
  size: 48,
  fields: {
    gsi: [0, "u32"],
    type: [4, "u32"],
    flags: [8, "u32"],
    u: [16, { size: 32, fields: { msi: [0, kvm_irq_routing_msi] } }],
  },
} as const;

/** A route of type `KVM_IRQ_ROUTING_HV_SINT`. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing_entry_hv_sint = {
  name: "kvm_irq_routing_entry",
  size: 48,
  fields: {
    gsi: [0, "u32"],
    type: [4, "u32"],
    flags: [8, "u32"],
    u: [16, { size: 32, fields: { hv_sint: [0, kvm_irq_routing_hv_sint] } }],
  },
} as const;

/** A route of type `KVM_IRQ_ROUTING_XEN_EVTCHN`. `KVM_SET_GSI_ROUTING`. */
export const kvm_irq_routing_entry_xen_evtchn = {
  name: "kvm_irq_routing_entry",
  size: 48,
  fields: {
    gsi: [0, "u32"],
    type: [4, "u32"],
    flags: [8, "u32"],
    u: [16, { size: 32, fields: { xen_evtchn: [0, kvm_irq_routing_xen_evtchn] } }],
  },
} as const;

/** An eventfd that raises a GSI. `KVM_IRQFD`. */
export const kvm_irqfd = {
  name: "kvm_irqfd",
  size: 32,
  fields: { fd: [0, "u32"], gsi: [4, "u32"], flags: [8, "u32"], resamplefd: [12, "u32"] },
} as const;

/** An eventfd that a guest's write signals. `KVM_IOEVENTFD`. */
export const kvm_ioeventfd = {
  name: "kvm_ioeventfd",
  size: 64,
  fields: {
    datamatch: [0, "u64"],
    addr: [8, "u64"],
    len: [16, "u32"],
    fd: [20, "s32"],
    flags: [24, "u32"],
  },
} as const;

/** A message-signalled interrupt. `KVM_SIGNAL_MSI`. */
export const kvm_msi = {
  name: "kvm_msi",
  size: 32,
  fields: {
    address_lo: [0, "u32"],
    address_hi: [4, "u32"],
    data: [8, "u32"],
    flags: [12, "u32"],
    devid: [16, "u32"],
  },
} as const;

/** kvmclock: `clock` and `realtime` in ns, `host_tsc` in cycles. `KVM_GET_CLOCK`, `KVM_SET_CLOCK`. */
export const kvm_clock_data = {
  name: "kvm_clock_data",
  size: 48,
  fields: {
    clock: [0, "u64"],
    flags: [8, "u32"],
    realtime: [16, "u64"],
    host_tsc: [24, "u64"],
  },
} as const;

/** Whether TPR accesses exit. `KVM_TPR_ACCESS_REPORTING`. */
export const kvm_tpr_access_ctl = {
  name: "kvm_tpr_access_ctl",
  size: 40,
  fields: { enabled: [0, "u32"], flags: [4, "u32"] },
} as const;

/** The guest physical address of the virtual APIC's TPR word. `KVM_SET_VAPIC_ADDR`. */
export const kvm_vapic_addr = {
  name: "kvm_vapic_addr",
  size: 8,
  fields: { vapic_addr: [0, "u64"] },
} as const;
