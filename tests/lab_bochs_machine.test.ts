/** Bochs as it boots, speaks and ends, with small kernels of the test's own. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { bochs } from "../ci/lab/bochs.ts";
import { findCommand } from "../ci/lab/command.ts";
import type { RunningEmulator } from "../ci/lab/emulator.ts";
import { LabError } from "../ci/lab/error.ts";
import { asm, type Assembly } from "../mod.ts";
import { elfFile } from "./elf_file.ts";

const ENTRY = 0x1000000;
/** Several of the blocks that Bochs allocates, the last one not full. */
const INITRAMFS = 5 * 0x20000 + 12;

const ignore = findCommand("bochs-bin") === undefined;

/** Boots a kernel, gives the machine to `use`, and leaves no process nor file. */
async function boot(
  kernel: Assembly,
  use: (machine: RunningEmulator, initramfs: Uint8Array) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const bytes = kernel.assemble({ bits: 32, origin: ENTRY }).bytes;
    const segment = { address: ENTRY, bytes, memorySize: bytes.length };
    const vmlinux = `${folder}/vmlinux`;
    await Deno.writeFile(vmlinux, elfFile([segment], { pvhEntry: ENTRY }));
    const initramfs = Uint8Array.from({ length: INITRAMFS }, (_, index) => index * 7 >> 3);
    await Deno.writeFile(`${folder}/initramfs`, initramfs);
    const machine = await bochs.start({
      kernel: { release: "6.12.0", series: "6.12", bzImage: vmlinux, vmlinux, pvhEntry: ENTRY },
      initramfs: `${folder}/initramfs`,
      commandLine: "first words",
      cpus: 1,
      folder,
    });
    try {
      await use(machine, initramfs);
    } finally {
      machine.kill();
      await machine.ended;
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();

Deno.test({
  name: "a kernel finds its command line and initramfs, and both serial ports speak",
  ignore,
  async fn() {
    // EBX has the start info. The command line goes to the first port; to the second one the size
    // of the initramfs and the sum of its 32-bit words.
    const kernel = asm`
        mov esp, 0x7000
        cmp dword [ebx], 0x336ec578
        jne end
        mov edx, 0x3f8
        call open
        mov esi, [ebx + 24]
      next:
        lodsb
        test al, al
        jz sum_up
        call send
        jmp next
      sum_up:
        mov edi, [ebx + 16]
        mov esi, [edi]
        mov ecx, [edi + 8]
        mov [size], ecx
        shr ecx, 2
        xor ebp, ebp
      add_word:
        lodsd
        add ebp, eax
        dec ecx
        jnz add_word
        mov [sum], ebp
        mov edx, 0x2f8
        call open
        mov esi, size
        mov ecx, 8
      digits:
        lodsb
        mov ah, al
        shr al, 4
        call digit
        mov al, ah
        and al, 0xf
        call digit
        dec ecx
        jnz digits
      end:
        lidt [nothing]          ; any exception is a triple fault now
        int3
      digit:
        add al, '0'
        cmp al, '9'
        jbe send
        add al, 'a' - '9' - 1
      send:
        out dx, al
        add edx, 5              ; line status: until both the port and its shift register are empty
      wait_here:
        in al, dx
        and al, 0x60
        cmp al, 0x60
        jne wait_here
        sub edx, 5
        ret
      open:
        add edx, 3              ; line control: 8 bits, and the divisor's latch
        mov al, 0x83
        out dx, al
        sub edx, 3
        mov al, 1               ; 115200 baud
        out dx, al
        inc edx
        xor eax, eax
        out dx, al
        add edx, 2
        mov al, 3
        out dx, al
        sub edx, 3
        ret
      align 4
      size: dd 0
      sum: dd 0
      nothing: times 6 db 0
    `;
    await boot(kernel, async ({ console, channel, ended }, initramfs) => {
      const [said, told, how] = await Promise.all([text(console), text(channel), ended]);
      assertEquals(how, "the machine was reset");
      assertMatch(said, /^first words .*reboot=t$/);
      const view = new DataView(initramfs.buffer);
      let sum = 0;
      for (let at = 0; at < initramfs.length; at += 4) sum = sum + view.getUint32(at, true) >>> 0;
      const expected = new DataView(new ArrayBuffer(8));
      expected.setUint32(0, initramfs.length, true);
      expected.setUint32(4, sum, true);
      assertEquals(told, new Uint8Array(expected.buffer).toHex());
    });
  },
});

Deno.test({
  name: "a machine that goes on for ever is killed, and its streams end",
  ignore,
  async fn() {
    await boot(asm`here: jmp here`, async ({ console, channel, ended, kill }) => {
      kill();
      assertEquals(await ended, "it was ended by SIGKILL");
      assertEquals([await text(console), await text(channel)], ["", ""]);
    });
  },
});

Deno.test("a kernel that has no PVH entry, and one that is none, are refused in words", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const vmlinux = `${folder}/vmlinux`;
    await Deno.writeFile(`${folder}/initramfs`, new Uint8Array(4));
    const start = () =>
      bochs.start({
        kernel: { release: "6.12.0", series: "6.12", bzImage: vmlinux, vmlinux },
        initramfs: `${folder}/initramfs`,
        commandLine: "",
        cpus: 1,
        folder,
      });
    const segment = { address: ENTRY, bytes: Uint8Array.of(0xf4), memorySize: 1 };
    await Deno.writeFile(vmlinux, elfFile([segment]));
    await assertRejects(start, LabError, "CONFIG_PVH=y");
    await Deno.writeFile(vmlinux, elfFile([segment]).subarray(0, 100));
    await assertRejects(start, LabError, "the kernel is damaged: its headers are cut off");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
