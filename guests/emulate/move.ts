import { defineCases } from "../../mod.ts";
import { inBothWays } from "../_ways.ts";
import { type Check, checkAll } from "./_checks.ts";
import { ALL } from "./_model.ts";

type Row = readonly (Partial<Check> & { instruction: string })[];

const rdx = 0x1122334455667788n;
const rcx = 0x99aabbccddeeff80n;
const rax = 0x8182838485868788n;

const rows: Record<string, Row> = {
  "zero-extend": [
    { instruction: "movzx dx, cl", left: 0x1122334455660080n },
    { instruction: "movzx edx, cl", left: 0x80n },
    { instruction: "movzx rdx, cl", left: 0x80n },
    { instruction: "movzx edx, ch", left: 0xffn },
    { instruction: "movzx edx, cx", left: 0xff80n },
    { instruction: "movzx rdx, cx", left: 0xff80n },
  ],
  "sign-extend": [
    { instruction: "movsx dx, cl", left: 0x112233445566ff80n },
    { instruction: "movsx edx, cl", left: 0xffffff80n },
    { instruction: "movsx rdx, cl", left: 0xffffffffffffff80n },
    { instruction: "movsx edx, cx", left: 0xffffff80n },
    { instruction: "movsx rdx, cx", left: 0xffffffffffffff80n },
    { instruction: "movsxd rdx, ecx", left: 0xffffffffddeeff80n },
    { instruction: "movsx edx, al", rax: 0x7fn, left: 0x7fn },
  ],
  "widen-accumulator": [
    { instruction: "cbw", leftRax: 0x818283848586ff88n },
    { instruction: "cwde", leftRax: 0xffff8788n },
    { instruction: "cdqe", leftRax: 0xffffffff85868788n },
    { instruction: "cbw", rax: 0x7ffff7fn, leftRax: 0x7ff007fn },
    { instruction: "cwde", rax: 0xffff7fffn, leftRax: 0x7fffn },
    { instruction: "cdqe", rax: 0xffffffff7fffffffn, leftRax: 0x7fffffffn },
  ],
  "sign-to-data": [
    { instruction: "cwd", left: 0x112233445566ffffn },
    { instruction: "cdq", left: 0xffffffffn },
    { instruction: "cqo", left: 0xffffffffffffffffn },
    { instruction: "cwd", rax: 0x7fffn, left: 0x1122334455660000n },
    { instruction: "cdq", rax: 0xffffffff7fffffffn, left: 0n },
    { instruction: "cqo", rax: 0x7fffffffffffffffn, left: 0n },
  ],
  immediate: [
    { instruction: "mov dl, 0x9a", left: 0x112233445566779an },
    { instruction: "mov dh, 0x9a", left: 0x1122334455669a88n },
    { instruction: "mov dx, 0x9abc", left: 0x1122334455669abcn },
    { instruction: "mov edx, 0x9abcdef0", left: 0x9abcdef0n },
    { instruction: "mov rdx, -2", left: 0xfffffffffffffffen },
    { instruction: "mov rdx, 0x123456789abcdef0", left: 0x123456789abcdef0n },
    { instruction: "db 0xc6, 0xc2, 0x77", left: 0x1122334455667777n },
    { instruction: "db 0x48, 0xc7, 0xc2, 0x00, 0x00, 0x00, 0x80", left: 0xffffffff80000000n },
  ],
  register: [
    { instruction: "mov dl, cl", left: 0x1122334455667780n },
    { instruction: "mov dh, cl", left: 0x1122334455668088n },
    { instruction: "mov dl, ch", left: 0x11223344556677ffn },
    { instruction: "mov dx, cx", left: 0x112233445566ff80n },
    { instruction: "mov edx, ecx", left: 0xddeeff80n },
    { instruction: "mov rdx, rcx", left: rcx },
    // The other direction's opcodes.
    { instruction: "db 0x8a, 0xd1", left: 0x1122334455667780n },
    { instruction: "db 0x48, 0x8b, 0xd1", left: rcx },
    // REX makes SPL to DIL of AH to BH.
    { instruction: "mov dl, dil", left: 0x1122334455667700n },
    { instruction: "mov dl, r8b", left: 0x1122334455667708n },
  ],
  address: [
    {
      instruction: "lea rdx, [rcx + rax*2 + 0x10]",
      left: (rcx + rax * 2n + 0x10n) & (1n << 64n) - 1n,
    },
    { instruction: "lea edx, [rcx + 1]", left: 0xddeeff81n },
    { instruction: "lea dx, [rcx - 1]", left: 0x112233445566ff7fn },
    { instruction: "lea rdx, [ecx + 1]", left: 0xddeeff81n },
    { instruction: "lea rdx, [rax*8]", left: rax * 8n & (1n << 64n) - 1n },
  ],
  "accumulator-exchange": [
    { instruction: "xchg rdx, rax", left: rax, leftRax: rdx },
    { instruction: "xchg edx, eax", left: 0x85868788n, leftRax: 0x55667788n },
    { instruction: "xchg dx, ax", left: 0x1122334455668788n, leftRax: 0x8182838485867788n },
    { instruction: "xchg rax, rcx", leftRcx: rax, leftRax: rcx },
    { instruction: "nop" },
  ],
  "machine-status": [
    { instruction: "smsw edx", left: 0x80010031n },
    { instruction: "smsw dx", left: 0x1122334455660031n },
    { instruction: "mov rdx, cr0", left: 0x80010031n },
    { instruction: "mov rdx, cr3", left: 0x10000n },
    { instruction: "mov rdx, cr4", left: 0x20n },
    { instruction: "mov rdx, cr8", left: 0n },
    { instruction: "mov rdx, dr7", left: 0x400n },
    { instruction: "mov rdx, dr6", left: 0xffff0ff0n },
  ],
  selectors: [
    { instruction: "mov edx, ds", left: 0x30n },
    { instruction: "mov dx, ss", left: 0x1122334455660030n },
    { instruction: "mov rdx, cs", left: 0x28n },
    { instruction: "str edx", left: 0x68n },
    { instruction: "str dx", left: 0x1122334455660068n },
    { instruction: "sldt edx", left: 0n },
  ],
};

/** Moves between registers, of every width, with the flags left alone. */
export default defineCases("emulate/move", inBothWays(rows), ({ row, way }) => ({
  spec: ["SDM 2: each instruction's operation", "SDM 1 3.4.1.1: zero-extension to 64 bits"],
  requires: way.requires,
  ...checkAll(
    row.map((check, number) => {
      const flags = number % 2 === 0 ? ALL : 0n;
      const start = { rdx, rcx, rax, flags, leftFlags: flags };
      return { ...start, left: rdx, ...check };
    }),
    way,
  ),
}));
