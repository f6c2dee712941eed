import { asm, defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

interface Row {
  code: string;
  /** The bit of the port's or MSR's map that is set. */
  ports?: number;
  msrs?: number;
  /** Exit code and EXITINFO1, where it is intercepted. */
  exit?: readonly [code: number, first: bigint | string];
  passes?: string;
  state?: string;
}

/** EXITINFO1 of a port: number, then what the access is; 64-bit addresses (9) may be told or not. */
const port = (number: number, bits: number) => {
  const low = (number << 16 | bits) >>> 0;
  return `0x${low.toString(16)}|0x${((low | 0x200) >>> 0).toString(16)}`;
};

/** The same of a string's instruction, whose segment (12 to 10), DS or ES, may be told or not. */
const stringPort = (number: number, bits: number) =>
  [bits, bits | 0xc00].map((segment) => port(number, segment)).join("|");

const rows: Record<string, Row> = {
  // IN (bit 0), 8 bits (4).
  "in-byte": { code: "in al, 0x42", ports: 0x42, exit: [0x7b, port(0x42, 0x11)] },
  "out-byte": { code: "out 0x42, al", ports: 0x42, exit: [0x7b, port(0x42, 0x10)] },
  "out-word": { code: "out 0x42, ax", ports: 0x42, exit: [0x7b, port(0x42, 0x20)] },
  "out-dword": { code: "out 0x42, eax", ports: 0x42, exit: [0x7b, port(0x42, 0x40)] },
  // The last byte of the access counts as well.
  "out-word-second-byte": { code: "out 0x42, ax", ports: 0x43, exit: [0x7b, port(0x42, 0x20)] },
  "in-word": { code: "in ax, 0x42", ports: 0x42, exit: [0x7b, port(0x42, 0x21)] },
  "in-dword": { code: "in eax, 0x42", ports: 0x42, exit: [0x7b, port(0x42, 0x41)] },
  "in-dx": { code: "mov edx, 0x1234\nin al, dx", ports: 0x1234, exit: [0x7b, port(0x1234, 0x11)] },
  "out-dx": {
    code: "mov edx, 0x1234\nout dx, al",
    ports: 0x1234,
    exit: [0x7b, port(0x1234, 0x10)],
  },
  "out-dword-last-byte": {
    code: "out 0x42, eax",
    ports: 0x45,
    exit: [0x7b, port(0x42, 0x40)],
  },
  "out-dword-behind": { code: "out 0x42, eax", ports: 0x46, passes: "pio out 0x42 u32 0x77" },
  // The next byte of the map.
  "out-word-next-byte": {
    code: "out 0x47, ax",
    ports: 0x48,
    exit: [0x7b, port(0x47, 0x20)],
  },
  "out-last-port": {
    code: "mov edx, 0xffff\nout dx, al",
    ports: 0xffff,
    exit: [0x7b, port(0xffff, 0x10)],
  },
  // The byte behind the last port's.
  "out-last-port-word": {
    code: "mov edx, 0xffff\nout dx, ax",
    ports: 0x10000,
    exit: [0x7b, port(0xffff, 0x20)],
  },
  // String (2), repeated (3).
  "in-string": {
    code: "mov edx, 0x42\nmov edi, 0xa000\ninsb",
    ports: 0x42,
    exit: [0x7b, stringPort(0x42, 0x15)],
    state: "= rdi 0xa000",
  },
  "out-string-repeated": {
    code: "mov edx, 0x42\nmov esi, 0xa000\nmov ecx, 2\nrep outsw",
    ports: 0x43,
    exit: [0x7b, stringPort(0x42, 0x2c)],
    state: "= rsi 0xa000",
  },
  "out-other": { code: "out 0x42, al", ports: 0x43, passes: "pio out 0x42 u8 0x77" },
  // Two bits for each MSR: read and write; 0xc0000000 and on from byte 0x800.
  "read-msr": { code: "mov ecx, 0xc0000081\nrdmsr", msrs: 0x800 * 8 + 0x81 * 2, exit: [0x7c, 0n] },
  "write-msr": {
    code: "mov ecx, 0xc0000081\nwrmsr",
    msrs: 0x800 * 8 + 0x81 * 2 + 1,
    exit: [0x7c, 1n],
  },
  "read-msr-low": { code: "mov ecx, 0x174\nrdmsr", msrs: 0x174 * 2, exit: [0x7c, 0n] },
  "read-msr-other": { code: "mov ecx, 0xc0000081\nrdmsr", msrs: 0x800 * 8 + 0x82 * 2, passes: "" },
  "read-msr-write-bit": {
    code: "mov ecx, 0xc0000081\nrdmsr",
    msrs: 0x800 * 8 + 0x81 * 2 + 1,
    passes: "",
  },
  "write-msr-read-bit": {
    code: "mov ecx, 0xc0000081\nxor edx, edx\nxor eax, eax\nwrmsr",
    msrs: 0x800 * 8 + 0x81 * 2,
    passes: "",
  },
  "write-msr-low": { code: "mov ecx, 0x174\nwrmsr", msrs: 0x174 * 2 + 1, exit: [0x7c, 1n] },
  // The third part: 0xc0010000 and on, from byte 0x1000.
  "read-msr-high": {
    code: "mov ecx, 0xc0010117\nrdmsr",
    msrs: 0x1000 * 8 + 0x117 * 2,
    exit: [0x7c, 0n],
  },
  "write-msr-high": {
    code: "mov ecx, 0xc0010117\nwrmsr",
    msrs: 0x1000 * 8 + 0x117 * 2 + 1,
    exit: [0x7c, 1n],
  },
  // No map has it: always intercepted.
  "read-msr-beyond": { code: "mov ecx, 0x40000000\nrdmsr", exit: [0x7c, 0n] },
};

/** The maps of ports and MSRs say, bit by bit, which accesses the hypervisor intercepts. */
export default defineCases("nested-svm/bitmap", inBothWays(rows), ({ row, way }) => ({
  spec: ["APM 2 15.10: IOIO intercepts", "APM 2 15.11: MSR intercepts"],
  mode: "long",
  requires: [...requires, ...way.requires],
  machine,
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code.split("\n").slice(0, -1).join("\n")}
    ${way.prefix}
    at:
    ${row.code.split("\n").at(-1)!}
    mov eax, 0
    mov edx, 0
    behind:
    vmmcall
  `,
  drive: ({ write, labels, vm }) => {
    // 12 KiB of ports, 8 KiB of MSRs.
    vm.memory.addRam(0x100000, 0x8000, { slot: 1 });
    const set = (map: number, bit: number | undefined) => {
      if (bit !== undefined) write(map + (bit >> 3), Uint8Array.of(1 << (bit & 7)));
    };
    set(0x100000, row.ports);
    set(0x104000, row.msrs);
    write(
      VMCB,
      vmcb({
        rip: labels.get("nested")!,
        rax: 0x77n,
        first: 0x18000000,
        second: 2,
        portMap: 0x100000,
        msrMap: 0x104000,
      }),
    );
  },
  trace: ({ at, behind }) => `
    > slot 0x1 gpa=0x100000 size=0x8000
    ${row.passes ?? ""}
    ${row.exit ? reported(row.exit[0], row.exit[1], "*", at) : reported(0x81, 0n, 0n, behind)}
    hlt
    = rflags 0x46
    ${row.state ?? ""}
    ${written}
  `,
}));
