import { asm, defineCase } from "../../mod.ts";
import { fieldEncodings, type FieldName } from "./_fields.ts";
import {
  after,
  DATA,
  enterVmx,
  machine,
  prepare,
  quadwords,
  requires,
  writeFields,
} from "./_vmx.ts";

/** Where the fields to read are, what is counted, and operands of LGDT and LIDT. */
const TABLE = 0xe000, CURSOR = 0xa100, OPERANDS = 0xf000;
/** Selectors of the first and of the second set: data, LDT, TSS. */
const first = { data: 0xe0, local: 0xc0, task: 0xa0 };
const second = { data: 0xe8, local: 0xd0, task: 0xb0 };

const segments = ["Es", "Ss", "Ds", "Fs", "Gs", "Ldtr", "Tr"] as const;
/** What each field has with the first set, and with the second. */
const fields: [FieldName, number, number][] = [];
for (const name of segments) {
  const kind = name === "Ldtr" ? "local" : name === "Tr" ? "task" : "data";
  const low = { data: 0x4093, local: 0x82, task: 0x8b }[kind];
  fields.push(
    [`guest${name}`, first[kind], second[kind]],
    [`guest${name}Limit`, kind === "data" ? 0xa0aaa : 0xaaa, kind === "data" ? 0xb0bbb : 0xbbb],
    [`guest${name}Base`, 0xa00000, 0xb00000],
  );
  // SS's access rights are at hand at every exit.
  if (name !== "Ss") fields.push([`guest${name}Access`, low, low | 0x1000]);
}
fields.push(
  ["guestGdtrLimit", 0xff, 0xf7],
  ["guestIdtrLimit", 0xfff, 0x7ff],
  ["guestGdtrBase", 0x1000, 0x1008],
  ["guestIdtrBase", 0x2000, 0x2010],
);

const load = ({ data, local, task }: typeof first) => `
  mov ebx, ${data}
  mov ss, ebx
  mov ds, ebx
  mov es, ebx
  mov fs, ebx
  mov gs, ebx
  mov ebx, ${local}
  lldt bx
  and byte [${0x1005 + task}], 0xfd
  mov ebx, ${task}
  ltr bx
`;
const expected = (index: number) => fields[index][1 + index % 2] as number;

/** After each exit one field is read, first of all, and it is what the guest has left this time. */
export default defineCase({
  id: "nested-vmx/field-after-exit",
  spec: [
    "SDM 3C 28.3.2: saving segment registers and descriptor-table registers",
    "SDM 3C 31.3: VMREAD",
  ],
  mode: "long",
  requires,
  machine: {
    ...machine,
    descriptors: {
      0xe0: 0x004a93a000000aaan,
      0xe8: 0x005b93b000000bbbn,
      0xc0: 0x000082a000000aaan,
      0xc8: 0n,
      0xd0: 0x001082b000000bbbn,
      0xd8: 0n,
      0xa0: 0x000089a000000aaan,
      0xa8: 0n,
      0xb0: 0x001089b000000bbbn,
      0xb8: 0n,
    },
  },
  guest: asm`
    ${enterVmx}
    ${writeFields}
    vmlaunch
    out 0xee, al
    exited:
    mov esi, [${CURSOR}]
    mov rax, [rsi]
    vmread [rsi + 8], rax
    add esi, 16
    mov [${CURSOR}], esi
    mov eax, 0x681e
    vmread rcx, rax
    add rcx, 3
    vmwrite rax, rcx
    dec dword [${CURSOR + 8}]
    jz ended
    vmresume
    out 0xee, al
    ended:
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor esi, esi
    hlt
    nested:
    lgdt [${OPERANDS}]
    ${load(first)}
    lidt [${OPERANDS + 0x10}]
    vmcall
    ${load(second)}
    lidt [${OPERANDS + 0x20}]
    lgdt [${OPERANDS + 0x30}]
    vmcall
    jmp nested
  `,
  drive: (context) => {
    const { write, run } = context;
    prepare(context);
    write(TABLE, quadwords(fields.flatMap(([name]) => [fieldEncodings[name], 0])));
    write(CURSOR, quadwords([TABLE, fields.length]));
    // Limit, and base behind it.
    const table = (limit: number, base: number) => quadwords([limit | base << 16, 0]);
    write(OPERANDS, table(0xff, 0x1000));
    write(OPERANDS + 0x10, table(0xfff, 0x2000));
    write(OPERANDS + 0x20, table(0x7ff, 0x2010));
    write(OPERANDS + 0x30, table(0xf7, 0x1008));
    run();
  },
  trace: `
    hlt
    = mem 0x${TABLE.toString(16)} u64 [${
    fields.map(([name], index) =>
      `0x${fieldEncodings[name].toString(16)} 0x${expected(index).toString(16)}`
    ).join(" ")
  }]
    = mem 0x${CURSOR.toString(16)} u64 [* 0x0]
    = mem 0x10a0 u64 [0x8ba000000aaa 0x0 0x108bb000000bbb]
    ${after(0x46).replace(/= mem 0xa000.*/, `= mem 0x${DATA.toString(16)} u64 [* * * *]`)}
  `,
});
