import { asm, defineCases, type PitChannelState } from "../../mod.ts";

interface Row {
  /** Bytes for the ports: 0x43 takes control words, 0x40 to 0x42 counts. */
  readonly writes: readonly (readonly [port: number, value: number])[];
  readonly channel: 0 | 1 | 2;
  readonly state: Partial<PitChannelState>;
}

const rows: Record<string, Row> = {};
for (const channel of [0, 1, 2] as const) {
  const port = 0x40 + channel;
  const word = (access: number, mode: number, bcd = 0) =>
    [0x43, channel << 6 | access << 4 | mode << 1 | bcd] as const;
  const add = (name: string, writes: Row["writes"], state: Row["state"]) => {
    rows[`channel-${channel}-${name}`] = { channel, writes, state };
  };
  add("low-byte", [word(1, 2), [port, 0x34]], {
    count: 0x34,
    rw_mode: 1,
    read_state: 1,
    write_state: 1,
    mode: 2,
  });
  add("high-byte", [word(2, 3), [port, 0x34]], {
    count: 0x3400,
    rw_mode: 2,
    read_state: 2,
    write_state: 2,
    mode: 3,
  });
  add("both-bytes", [word(3, 4), [port, 0x34], [port, 0x92]], {
    count: 0x9234,
    rw_mode: 3,
    read_state: 3,
    write_state: 3,
    write_latch: 0x34,
    mode: 4,
  });
  // The count is taken with the second byte alone.
  add("first-of-both", [word(1, 0), [port, 0x77], word(3, 0), [port, 0x34]], {
    count: 0x77,
    write_state: 4,
    write_latch: 0x34,
  });
  // A control word begins anew.
  add(
    "first-and-control-word",
    [word(3, 0), [port, 0x11], word(3, 0), [port, 0x22], [port, 0x33]],
    {
      count: 0x3322,
      write_state: 3,
      write_latch: 0x22,
    },
  );
  add("count-0", [word(3, 5), [port, 0], [port, 0]], { count: 0x10000, mode: 5 });
  add("low-byte-0", [word(1, 5), [port, 0]], { count: 0x10000, mode: 5 });
  // Of the mode's three bits the highest does not matter where the next one is set.
  add("mode-6", [word(3, 6)], { mode: 2 });
  add("mode-7", [word(3, 7)], { mode: 3 });
  add("bcd", [word(1, 1, 1)], { mode: 1, bcd: 1, rw_mode: 1 });
  add("bcd-off", [word(1, 1, 1), word(2, 1)], { mode: 1, bcd: 0, rw_mode: 2 });
  // The counter latch command changes none of it.
  add("latch", [word(3, 4), [port, 0x34], [port, 0x92], [0x43, channel << 6 | 0x0f]], {
    count: 0x9234,
    rw_mode: 3,
    mode: 4,
    bcd: 0,
    count_latched: 3,
    status_latched: 0,
  });
  add("latch-low-byte", [word(1, 5), [port, 0x34], [0x43, channel << 6]], { count_latched: 1 });
  add("latch-high-byte", [word(2, 5), [port, 0x34], [0x43, channel << 6]], { count_latched: 2 });
  // Read back: not the count (bit 5), not the status (bit 4).
  add("read-back-count", [word(1, 5), [port, 0x34], [0x43, 0xd0 | 2 << channel]], {
    count_latched: 1,
    status_latched: 0,
  });
  add("read-back-status", [word(1, 5), [port, 0x34], [0x43, 0xe0 | 2 << channel]], {
    count_latched: 0,
    status_latched: 1,
  });
  add("read-back-both", [word(1, 5), [port, 0x34], [0x43, 0xc0 | 2 << channel]], {
    count_latched: 1,
    status_latched: 1,
  });
  add("read-back-others", [word(1, 5), [port, 0x34], [0x43, 0xc0 | 0xe & ~(2 << channel)]], {
    count_latched: 0,
    status_latched: 0,
  });
}

/** What control words and counts leave in a channel of the PIT, as KVM_GET_PIT2 tells it. */
export default defineCases("timer/pit-programmed", rows, ({ writes, channel, state }) => ({
  spec: [
    "Intel 8254: control word, counter latch command, read-back command",
    "KVM API 4.72: KVM_GET_PIT2",
  ],
  requires: ["KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2"],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    ${writes.map(([port, value]) => `mov al, ${value}\nout ${port}, al`).join("\n")}
    mov al, 0
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    vm.irq.createPit();
    const before = vm.irq.pit2();
    run();
    const { channels } = vm.irq.pit2();
    const now = channels[channel]! as unknown as Record<string, unknown>;
    for (const [name, value] of Object.entries(state)) {
      assertEquals(`channel ${channel}: ${name}`, now[name], value);
    }
    for (const other of [0, 1, 2].filter((number) => number !== channel)) {
      if (writes.some(([port, value]) => port === 0x43 && value >= 0xc0 && value & 2 << other)) {
        continue;
      }
      assertEquals(`channel ${other}`, channels[other], before.channels[other]);
    }
  },
  trace: `
    > pit
    pio out 0xf4 u8 0x0
  `,
}));
