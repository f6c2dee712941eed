import { asm, defineCases, FileDescriptor, Mapping } from "../../mod.ts";

type Touch = "guest-reads" | "guest-writes" | "host-reads" | "host-writes";

/** What kind of memory the host has behind the slot, all of it never touched before. */
const backings = {
  anonymous: () => Mapping.anonymous(0x4000),
  shared: () => Mapping.shared(0x4000),
  file: () => {
    const path = Deno.makeTempFileSync();
    Deno.truncateSync(path, 0x4000);
    const fd = FileDescriptor.open(path);
    Deno.removeSync(path);
    try {
      return Mapping.ofFd(fd.number, 0x4000);
    } finally {
      fd[Symbol.dispose]();
    }
  },
};

const orders: readonly (readonly [first: Touch, second: Touch])[] = [
  ["guest-reads", "guest-writes"],
  ["guest-reads", "host-writes"],
  ["host-reads", "guest-writes"],
  ["host-reads", "host-writes"],
  ["guest-writes", "host-writes"],
  ["host-writes", "guest-writes"],
];

const rows = Object.fromEntries(
  Object.keys(backings).flatMap((backing) =>
    orders.map((order) => [`${backing}-${order.join("-")}`, {
      backing: backing as keyof typeof backings,
      order,
    }])
  ),
);

/** Instructions for what the guest does to the page, and the OUT at which the host takes over. */
const guests: Record<Touch, string> = {
  "guest-reads": "mov eax, [0x102000]",
  "guest-writes": "mov dword [0x102004], 0x55667788",
  "host-reads": "mov eax, 0",
  "host-writes": "mov eax, 0",
};

/** Guest and host see one memory, whoever touches a page first and whoever writes it first. */
export default defineCases("memslot/host-first-touch", rows, ({ backing, order }) => {
  const guestWrites = order.includes("guest-writes");
  const hostWrites = order.includes("host-writes");
  return {
    spec: [
      "KVM API 4.35: changes in the backing of the memory region are automatically reflected " +
      "into the guest",
    ],
    mode: "protected",
    requires: ["KVM_CAP_SYNC_MMU"],
    guest: asm`
      ${guests[order[0]]}
      out 0x10, al
      ${guests[order[1]]}
      out 0x11, al
      mov eax, [0x102000]
      mov ebx, [0x102004]
      mov ecx, [0x101000]
      inc dword [0x102008]
      hlt
    `,
    drive({ vm, run, assertEquals }) {
      using memory = backings[backing]();
      vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x4000, memory });
      const words = () => [0, 4, 8].map((at) => memory.view.getUint32(0x2000 + at, true));
      let [host, guest] = [0, 0];
      for (const touch of order) {
        if (touch === "host-writes") {
          memory.view.setUint32(0x2000, 0x11223344, true);
          host = 0x11223344;
        }
        run();
        if (touch === "guest-writes") guest = 0x55667788;
        if (touch !== "guest-reads") assertEquals(`after ${touch}`, words(), [host, guest, 0]);
      }
      run();
      assertEquals("in the end", words(), [host, guest, 1]);
      vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0 });
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x4000
      pio out 0x10 u8 0x0
      pio out 0x11 u8 0x0
      hlt
      > slot 0x1 gpa=0x100000 size=0x0
      ${hostWrites ? "= rax 0x11223344" : ""}
      ${guestWrites ? "= rbx 0x55667788" : ""}
    `,
  };
});
