import { asm, defineCases, EventFd } from "../../mod.ts";

const rows: Record<string, { size: number; exits: readonly [string, string] }> = {
  "8": { size: 1, exits: ["pio out 0x10 u16 0xc7e8", "pio out 0x10 u32 0x85a6c7e8"] },
  "16": { size: 2, exits: ["pio out 0x10 u8 0xe8", "pio out 0x10 u32 0x85a6c7e8"] },
  "32": { size: 4, exits: ["pio out 0x10 u8 0xe8", "pio out 0x10 u16 0xc7e8"] },
};

/** An ioeventfd on a port takes writes of its own size, with any value, and leaves others to the host. */
export default defineCases("pio/ioeventfd-size", rows, ({ size, exits }) => ({
  spec: "KVM API 4.59: KVM_IOEVENTFD",
  mode: "protected",
  requires: ["KVM_CAP_IOEVENTFD"],
  registers: { rax: 0x85a6c7e8n },
  guest: asm`
    out 0x10, al
    out 0x10, ax
    out 0x10, eax
    hlt
  `,
  drive: ({ vm, run, note }) => {
    using event = new EventFd();
    vm.events.assign(event, { space: "pio", address: 0x10, size });
    run();
    run();
    run();
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd pio 0x10 size=0x${size}
    ${exits[0]}
    ${exits[1]}
    hlt
    > eventfd -> 0x1
  `,
}));
