import { asm, defineCases } from "../../mod.ts";

const rows = {
  // Mode 2, both bytes, binary; the BIOS's rate.
  "channel-0": {
    channel: 0,
    state: { count: 0x1234, mode: 2, rw_mode: 3, gate: 1, bcd: 0 },
    program: asm`
      mov al, 0x34
      out 0x43, al
      mov al, 0x34
      out 0x40, al
      mov al, 0x12
      out 0x40, al`,
  },
  "channel-2": {
    channel: 2,
    // The gate of channel 2 is bit 0 of port 0x61.
    state: { count: 0x56, mode: 3, rw_mode: 1, gate: 1, bcd: 0 },
    program: asm`
      mov al, 1
      out 0x61, al
      mov al, 0x96
      out 0x43, al
      mov al, 0x56
      out 0x42, al`,
  },
  // A count of 0 is 65536.
  "count-0": {
    channel: 0,
    state: { count: 0x10000, mode: 0, rw_mode: 3, gate: 1, bcd: 0 },
    program: asm`
      mov al, 0x30
      out 0x43, al
      mov al, 0
      out 0x40, al
      out 0x40, al`,
  },
};

/** KVM_GET_PIT2 and KVM_GET_PIT tell what the guest programmed into the i8254. */
export default defineCases("system/pit", rows, ({ channel, state, program }) => ({
  spec: [
    "KVM API 4.72: KVM_GET_PIT2, struct kvm_pit_state2",
    "KVM API 4.71: KVM_CREATE_PIT2 (KVM_PIT_SPEAKER_DUMMY)",
    "Intel 8254: control word",
  ],
  mode: "real",
  irqchip: "kernel",
  requires: ["KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2"],
  prepare: (vm) => vm.irq.createPit(1),
  guest: asm`
    ${program}
    mov al, 0x41
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    run();
    const of = (channels: readonly { [name: string]: number | bigint }[]) => {
      const { count, mode, rw_mode, gate, bcd } = channels[channel];
      return { count, mode, rw_mode, gate, bcd };
    };
    assertEquals("KVM_GET_PIT2", of(vm.irq.pit2().channels.map((c) => ({ ...c }))), state);
    assertEquals("KVM_GET_PIT", of(vm.irq.pit().channels.map((c) => ({ ...c }))), state);
  },
  trace: `
    pio out 0xf4 u8 0x41
    = rax 0x41
  `,
}));
