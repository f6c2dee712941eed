import { asm, defineCases } from "../../mod.ts";

/** Whether a rising edge of the gate starts the count anew. */
const modes = {
  "mode-0": false,
  "mode-1": true,
  "mode-2": true,
  "mode-3": true,
  "mode-4": false,
  "mode-5": true,
};

const rows: Record<
  string,
  { mode: number; gates: readonly number[]; restarted: readonly boolean[] }
> = {};
for (const [name, restarts] of Object.entries(modes)) {
  const mode = Number(name.slice(-1));
  rows[`${name}-rising`] = { mode, gates: [0, 1], restarted: [false, restarts] };
  rows[`${name}-high`] = { mode, gates: [1, 1, 3], restarted: [restarts, false, false] };
  rows[`${name}-low`] = { mode, gates: [0, 2, 0], restarted: [false, false, false] };
}

/** The gate of channel 2 is bit 0 of port 0x61; its rising edge starts the count of some modes. */
export default defineCases("timer/pit-gate", rows, ({ mode, gates, restarted }) => ({
  spec: [
    "Intel 8254: gate pin operations summary",
    "KVM API 4.71: KVM_CREATE_PIT2 (KVM_PIT_SPEAKER_DUMMY)",
    "KVM API 4.72: KVM_GET_PIT2",
  ],
  requires: ["KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    mov al, 0
    out 0x61, al
    mov al, ${0xb0 | mode << 1}
    out 0x43, al
    mov al, 0
    out 0x42, al
    out 0x42, al
    out 0x10, al
    ${gates.map((value) => `mov al, ${value}\nout 0x61, al\nmov al, 0\nout 0x11, al`).join("\n")}
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    vm.irq.createPit(1);
    run();
    let { channels, flags } = vm.irq.pit2();
    assertEquals("the gate at first", channels[2]!.gate, 0);
    gates.forEach((value, number) => {
      const before = channels;
      run();
      ({ channels, flags } = vm.irq.pit2());
      const channel = channels[2]!;
      assertEquals(`gate ${number}`, channel.gate, value & 1);
      assertEquals(`speaker ${number}`, flags & 2, value & 2);
      const later = channel.count_load_time > before[2]!.count_load_time;
      assertEquals(`started anew ${number}`, later, restarted[number]);
      assertEquals(`count ${number}`, [channel.count, channel.mode], [0x10000, mode]);
      assertEquals("the others", channels.slice(0, 2), before.slice(0, 2));
    });
  },
  trace: `
    > pit flags=0x1
    pio out 0x10 u8 0x0
    ${gates.map(() => "pio out 0x11 u8 0x0").join("\n")}
    pio out 0xf4 u8 0x0
  `,
}));
