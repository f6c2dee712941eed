import { asm, defineCases } from "../../mod.ts";
import { machine, report, reported, requires, run, VMCB, vmcb, written } from "./_vmcb.ts";

interface Row {
  code: string;
  /** The bit of the port's or MSR's map that is set. */
  ports?: number;
  msrs?: number;
  /** Exit code and EXITINFO1, where it is intercepted. */
  exit?: readonly [code: number, first: bigint | string];
  passes?: string;
}

/** EXITINFO1 of a port: number, then what the access is; 64-bit addresses (9) may be told or not. */
const port = (number: number, bits: number) => {
  const low = (number << 16 | bits) >>> 0;
  return `0x${low.toString(16)}|0x${(low | 0x200).toString(16)}`;
};

const rows: Record<string, Row> = {
  // IN (bit 0), 8 bits (4).
  "in-byte": { code: "in al, 0x42", ports: 0x42, exit: [0x7b, port(0x42, 0x11)] },
  "out-byte": { code: "out 0x42, al", ports: 0x42, exit: [0x7b, port(0x42, 0x10)] },
  "out-word": { code: "out 0x42, ax", ports: 0x42, exit: [0x7b, port(0x42, 0x20)] },
  "out-dword": { code: "out 0x42, eax", ports: 0x42, exit: [0x7b, port(0x42, 0x40)] },
  // The last byte of the access counts as well.
  "out-word-second-byte": { code: "out 0x42, ax", ports: 0x43, exit: [0x7b, port(0x42, 0x20)] },
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
  // No map has it: always intercepted.
  "read-msr-beyond": { code: "mov ecx, 0x40000000\nrdmsr", exit: [0x7c, 0n] },
};

/** The maps of ports and MSRs say, bit by bit, which accesses the hypervisor intercepts. */
export default defineCases("nested-svm/bitmap", rows, (row) => ({
  spec: ["APM 2 15.10: IOIO intercepts", "APM 2 15.11: MSR intercepts"],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${run}
    ${report}
    nested:
    ${row.code}
    mov eax, 0
    mov edx, 0
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
  trace: `
    > slot 0x1 gpa=0x100000 size=0x8000
    ${row.passes ?? ""}
    ${row.exit ? reported(row.exit[0], row.exit[1], "*") : reported(0x81)}
    hlt
    = rflags 0x46
    ${written}
  `,
}));
