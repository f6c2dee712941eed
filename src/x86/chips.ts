/** The state of the chips that KVM emulates beside the vCPUs, with the names of C. */

/** An 8259A: `struct kvm_pic_state` (KVM_GET_IRQCHIP, KVM API 4.26). */
export interface PicState {
  /** The levels at the last edge. */
  last_irr: number;
  /** Interrupt request register. */
  irr: number;
  /** Interrupt mask register. */
  imr: number;
  /** In-service register. */
  isr: number;
  /** The line of the highest priority. */
  priority_add: number;
  /** ICW2: the vector of line 0. */
  irq_base: number;
  /** 1: port 0 reads the ISR, not the IRR. */
  read_reg_select: number;
  /** 1: the next read polls. */
  poll: number;
  /** OCW3: special mask mode. */
  special_mask: number;
  /** Which ICW is waited for; 0 for none. */
  init_state: number;
  /** ICW4: automatic end of interrupt. */
  auto_eoi: number;
  /** OCW2: it rotates the priorities. */
  rotate_on_auto_eoi: number;
  /** ICW4: special fully nested mode. */
  special_fully_nested_mode: number;
  /** ICW1: an ICW4 follows. */
  init4: number;
  /** Which lines are level-triggered. */
  elcr: number;
  /** Which of them can be. */
  elcr_mask: number;
}

/** The IOAPIC: `struct kvm_ioapic_state` (KVM_GET_IRQCHIP, KVM API 4.26). */
export interface IoapicState {
  /** Guest physical address of its registers. */
  base_address: bigint;
  /** Which register the window shows. */
  ioregsel: number;
  /** Its APIC id. */
  id: number;
  /** The lines that are asserted. */
  irr: number;
  /** 24 redirection entries, as the registers show them. */
  redirtbl: bigint[];
}

/** One counter of the i8254: `struct kvm_pit_channel_state` (KVM_GET_PIT2, KVM API 4.72). */
export interface PitChannelState {
  /** What it counts from; 65536 for 0. */
  count: number;
  /** What a latch command kept. */
  latched_count: number;
  /** Which bytes of it wait to be read. */
  count_latched: number;
  /** Whether a status waits to be read. */
  status_latched: number;
  /** That status. */
  status: number;
  /** Which byte is read next. */
  read_state: number;
  /** Which byte is written next. */
  write_state: number;
  /** The byte that waits for the other one. */
  write_latch: number;
  /** Access mode: 1 low byte, 2 high byte, 3 both. */
  rw_mode: number;
  /** Counting mode, 0 to 5. */
  mode: number;
  /** 1: it counts in BCD, which KVM does not. */
  bcd: number;
  /** The level of its gate. */
  gate: number;
  /** When the count was loaded, in the host's nanoseconds. */
  count_load_time: bigint;
}

/** The i8254: `struct kvm_pit_state` (KVM_GET_PIT). */
export interface PitState {
  /** Its three counters. */
  channels: PitChannelState[];
}

/** The i8254 and its flags: `struct kvm_pit_state2` (KVM_GET_PIT2, KVM API 4.72). */
export interface PitState2 extends PitState {
  /** Bit 0: counter 0 is off, an HPET replaces it; bit 1: port 0x61 lets the speaker sound. */
  flags: number;
}
