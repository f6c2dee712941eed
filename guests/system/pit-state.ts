import { asm, defineCases } from "../../mod.ts";

/** A counter in one-shot mode (Intel 8254, mode 0) that was loaded long ago. */
const counter = {
  count: 0x8000,
  latched_count: 0,
  count_latched: 0,
  status_latched: 0,
  status: 0,
  read_state: 3,
  write_state: 3,
  write_latch: 0,
  rw_mode: 3,
  mode: 0,
  bcd: 0,
  gate: 1,
  count_load_time: 0n,
};

const rows = {
  // arch/x86/kvm/i8254.h: 1 the low byte, 2 the high byte, 3 the low and then the high byte.
  "latched-word": {
    change: { latched_count: 0x1234, count_latched: 3, read_state: 3 },
    values: ["0x34", "0x12"],
  },
  "latched-high-byte": {
    change: { latched_count: 0x5678, count_latched: 2, read_state: 2, rw_mode: 2 },
    values: ["0x56", "*"],
  },
  "latched-status": {
    change: { status_latched: 1, status: 0xb4, latched_count: 0x9abc, count_latched: 3 },
    values: ["0xb4", "0xbc"],
  },
};

/** The guest reads of the i8254 what KVM_SET_PIT2 and KVM_SET_PIT put there. */
export default defineCases(
  "system/pit-state",
  Object.fromEntries(
    Object.entries(rows).flatMap(([name, row]) => [
      [name, { ...row, old: false }],
      [`${name}-old`, { ...row, old: true }],
    ]),
  ),
  ({ change, values, old }) => ({
    spec: [
      "KVM API 4.73: KVM_SET_PIT2, and KVM_SET_PIT which it replaces",
      "Intel 8254: counter latch and read-back commands",
      "arch/x86/kvm/i8254.h: RW_STATE_* (6.1, 6.12), where the document leaves them open",
    ],
    mode: "real",
    irqchip: "kernel",
    requires: ["KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2"],
    prepare: (vm) => vm.irq.createPit(),
    guest: asm`
      in al, 0x42
      out 0x10, al
      in al, 0x42
      out 0x11, al
      mov al, 0
      out 0xf4, al
    `,
    drive({ vm, assertEquals }) {
      const { channels } = vm.irq.pit2();
      const changed = [channels[0], channels[1], { ...counter, ...change }];
      if (old) vm.irq.setPit({ channels: changed });
      else vm.irq.setPit2({ channels: changed, flags: 0 });
      const { count_load_time: _, ...kept } = vm.irq.pit2().channels[2];
      const { count_load_time: __, ...set } = { ...counter, ...change };
      assertEquals("the counter", kept, set);
    },
    trace: `
      > set-pit${old ? "" : "2"}
      pio out 0x10 u8 ${values[0]}
      pio out 0x11 u8 ${values[1]}
      pio out 0xf4 u8 0x0
    `,
  }),
);
