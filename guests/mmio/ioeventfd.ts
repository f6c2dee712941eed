import { asm, defineCases, EventFd } from "../../mod.ts";

type Row = {
  size: number;
  match?: bigint;
  /** The writes that signal, by their names in the guest; all others exit. */
  signals: readonly string[];
};

const exits: Record<string, string> = {
  u8: "mmio write 0xd0000040 u8 0xd8",
  u16: "mmio write 0xd0000040 u16 0xd7d8",
  u32: "mmio write 0xd0000040 u32 0xd5d6d7d8",
  u64: "mmio write 0xd0000040 u64 0xd1d2d3d4d5d6d7d8",
  zero: "mmio write 0xd0000040 u32 0x0",
};

const rows: Record<string, Row> = {
  "size-1": { size: 1, signals: ["u8"] },
  "size-2": { size: 2, signals: ["u16"] },
  "size-4": { size: 4, signals: ["u32", "zero"] },
  "size-8": { size: 8, signals: ["u64"] },
  "size-any": { size: 0, signals: ["u8", "u16", "u32", "u64", "zero"] },
  "match-1": { size: 1, match: 0xd8n, signals: ["u8"] },
  "match-2": { size: 2, match: 0xd7d8n, signals: ["u16"] },
  "match-2-other": { size: 2, match: 0xd8n, signals: [] },
  "match-4": { size: 4, match: 0xd5d6d7d8n, signals: ["u32"] },
  "match-4-zero": { size: 4, match: 0n, signals: ["zero"] },
  "match-8": { size: 8, match: 0xd1d2d3d4d5d6d7d8n, signals: ["u64"] },
  "match-8-other": { size: 8, match: 0xd5d6d7d8n, signals: [] },
};

/**
 * A write of the registered address, size and value signals the eventfd once and does not exit; any
 * other write there, a write beside it and a read exit as ever.
 */
export default defineCases("mmio/ioeventfd", rows, ({ size, match, signals }) => ({
  spec: ["KVM API 4.59: KVM_IOEVENTFD"],
  mode: "long",
  requires: size === 0
    ? ["KVM_CAP_IOEVENTFD", "KVM_CAP_IOEVENTFD_ANY_LENGTH"]
    : ["KVM_CAP_IOEVENTFD"],
  registers: { rdi: 0xd0000040n, rdx: 0xd1d2d3d4d5d6d7d8n },
  guest: asm`
    mov [rdi], dl
    mov [rdi], dx
    mov [rdi], edx
    mov [rdi], rdx
    mov dword [rdi], 0
    mov [rdi - 1], dl
    mov [rdi + 1], dl
    mov al, [rdi]
    hlt
  `,
  drive({ vm, run, note }) {
    using event = new EventFd();
    vm.events.assign(event, { space: "mmio", address: 0xd0000040, size, match });
    while (run().reason === "mmio");
    note("eventfd", [], event.take());
  },
  trace: `
    > ioeventfd mmio 0xd0000040 size=0x${size}${
    match === undefined ? "" : ` match=0x${match.toString(16)}`
  }
    ${
    Object.keys(exits).filter((name) => !signals.includes(name)).map((name) => exits[name]).join(
      "\n",
    )
  }
    mmio write 0xd000003f u8 0xd8
    mmio write 0xd0000041 u8 0xd8
    mmio read 0xd0000040 u8 -> 0x77
    hlt
    > eventfd -> 0x${signals.length}
    = rax 0x77
  `,
}));
