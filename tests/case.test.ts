import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  type CaseDefinition,
  CaseError,
  defineCase,
  defineCases,
  initialRegisters,
} from "../src/suite/case.ts";
import { prepareGuest } from "../src/suite/guest.ts";
import { asm } from "../src/x86/asm/assembly.ts";
import { memoryMap } from "../src/x86/memory_map.ts";

const halt: CaseDefinition = {
  id: "exit/hlt",
  spec: "SDM 2A: HLT",
  mode: "real",
  guest: asm`hlt`,
  trace: "hlt",
};

Deno.test("a case has its area and a list of clauses, and cannot be changed", () => {
  const definition = defineCase(halt);
  assertEquals([definition.area, definition.spec], ["exit", ["SDM 2A: HLT"]]);
  assert(Object.isFrozen(definition));
  assertEquals(defineCase({ ...halt, spec: ["a", "b"] }).spec, ["a", "b"]);
});

for (const id of ["exit/hlt", "a/b", "mmio-2/x-1", "exit/hlt~long", "a/b~0x10"]) {
  Deno.test(`the id ${id} is one`, () => {
    assertEquals(defineCase({ ...halt, id }).id, id);
  });
}

for (
  const id of [
    "",
    "hlt",
    "exit/",
    "/hlt",
    "exit/a/b",
    "Exit/hlt",
    "exit/h_lt",
    "exit/hlt~",
    "exit/hlt~a~b",
    "exit/hlt~A",
    " exit/hlt",
    "exit/hlt\n",
  ]
) {
  Deno.test(`the id ${JSON.stringify(id)} is none`, () => {
    const error = assertThrows(() => defineCase({ ...halt, id }), CaseError, "the id is not");
    assertEquals(error.id, id);
  });
}

Deno.test("a case without a clause is none", () => {
  assertThrows(() => defineCase({ ...halt, spec: [] }), CaseError, "case exit/hlt: no clause");
});

Deno.test("a table defines a case for each row, with the row's name", () => {
  const { id: _, ...rest } = halt;
  const cases = defineCases("pio/out", { low: 0x10, high: 0xffff }, (port, variation) => ({
    ...rest,
    spec: `${variation} ${port}`,
  }));
  assertEquals(cases.map(({ id, spec, area }) => [id, spec[0], area]), [
    ["pio/out~low", "low 16", "pio"],
    ["pio/out~high", "high 65535", "pio"],
  ]);
  assertThrows(() => defineCases("pio/out", { Low: 1 }, () => rest), CaseError, "pio/out~Low");
});

Deno.test("every register starts with a value that tells it from the others, or 0", () => {
  const registers = initialRegisters({ rip: 1n, rsp: 2n, rflags: 3n }, { rax: 4n, rsp: 5n });
  const { rip, rsp, rflags, rax, rbx, r8, r15 } = registers;
  assertEquals([rip, rsp, rflags, rax, rbx, r8, r15], [
    1n,
    5n,
    3n,
    4n,
    0n,
    0x0808080808080808n,
    0x0f0f0f0f0f0f0f0fn,
  ]);
  assertEquals(
    new Set([8, 9, 10, 11, 12, 13, 14, 15].map((n) => registers[`r${n}` as "r8"])).size,
    8,
  );
});

Deno.test("the program lies at its place in memory, and the trace knows its labels", () => {
  const guest = prepareGuest(defineCase({
    ...halt,
    guest: asm`nop
      end: hlt`,
    trace: ({ end }) => `hlt\n= rip ${end}`,
  }));
  const { address } = memoryMap.code;
  assertEquals([...guest.memory.subarray(address, address + 3)], [0x90, 0xf4, 0]);
  assertEquals(guest.expected[1], { kind: "state", name: "rip", value: 0x8001n });
});

const broken: [
  what: string,
  changes: Partial<CaseDefinition>,
  error: string,
  message: string,
][] = [
  ["a wrong instruction", { guest: asm`hlt al` }, "AssemblyError", ""],
  ["a malformed trace", { trace: "halt" }, "TraceError", "1:"],
  [
    "a trace that names no label",
    { trace: ({ missing }) => `hlt\n= rip ${missing}` },
    "CaseError",
    "its trace names the label missing, which the guest has not",
  ],
  [
    "a handler at no label",
    { handlers: { 13: "fault" } },
    "CaseError",
    "case exit/hlt: the guest has no label fault",
  ],
  [
    "a program beyond its room",
    { guest: asm`times 0x2001 nop` },
    "CaseError",
    "the guest has 8193 bytes and room is for 8192",
  ],
];

for (const [what, changes, error, message] of broken) {
  Deno.test(`a case with ${what} cannot be prepared`, () => {
    const thrown = assertThrows(() => prepareGuest(defineCase({ ...halt, ...changes })), Error);
    assertEquals(thrown.name, error);
    assertStringIncludes(thrown.message, message);
  });
}

Deno.test("a handler may be a label, an address, or either with attributes", () => {
  const { machine, memory } = prepareGuest(defineCase({
    ...halt,
    guest: asm`hlt
      fault: hlt`,
    handlers: { 6: "fault", 13: 0x8000, 14: { at: "fault" } },
  }));
  assert(machine.image.length > 0);
  const vectors = new DataView(memory.buffer);
  assertEquals([6, 13, 14].map((vector) => vectors.getUint32(4 * vector, true)), [
    0x8001,
    0x8000,
    0x8001,
  ]);
});
