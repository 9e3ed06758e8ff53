/*
 * start — from the kernel's hand to main, without a C library (stage2/libc.c).
 *
 * glibc's start of a static program takes thirteen system calls: memory for a heap and for threads that there are not, the
 * program's own name, a limit of the stack.  What is kept of it is what protects: the program is loaded at a random
 * address and relocates itself, the stack protector's value comes from the kernel's random bytes, and what relocation has
 * written is read-only afterwards.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv, char **envp);
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
extern const Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

#if defined(__x86_64__)
#define R_RELATIVE  R_X86_64_RELATIVE
#define ARCH_SET_FS 0x1002
__asm__(".text\n.globl _start\n.type _start,@function\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand "
	"$-16,%rsp\n\tcall "
	"start_here\n\thlt\n");

/* Where the compiler looks for the stack protector's value: 40 bytes above what the register points to. */
static uintptr_t thread[16];

__attribute__((no_stack_protector)) static void set_guard(uintptr_t value)
{
	thread[0] = (uintptr_t)thread;
	thread[5] = value;
	(void)syscall(SYS_arch_prctl, ARCH_SET_FS, thread);
}
#elif defined(__aarch64__)
#define R_RELATIVE R_AARCH64_RELATIVE
__asm__(".text\n.globl _start\n.type _start,%function\n_start:\n\tmov x29,#0\n\tmov x30,#0\n\tmov "
	"x0,sp\n\tbl start_here\n");

uintptr_t __stack_chk_guard;

__attribute__((no_stack_protector)) static void set_guard(uintptr_t value)
{
	__stack_chk_guard = value;
}
#endif

__attribute__((no_stack_protector)) static void relocate(uintptr_t base)
{
	const Elf64_Rela *r = NULL;
	size_t size = 0;

	for (const Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELA)
			r = (const Elf64_Rela *)(base + d->d_un.d_ptr);
		else if (d->d_tag == DT_RELASZ)
			size = d->d_un.d_val;
	}
	for (size_t i = 0; i < size / sizeof(*r); i++) {
		if (ELF64_R_TYPE(r[i].r_info) != R_RELATIVE)
			__builtin_trap(); /* there is nobody to ask for a symbol */
		*(uintptr_t *)(base + r[i].r_offset) = base + (uintptr_t)r[i].r_addend;
	}
}

/* @page: bytes; on arm64 the kernel decides between 4, 16 and 64 KiB, and the linker aligns for the largest. */
static void protect(uintptr_t base, uintptr_t page)
{
	const Elf64_Phdr *p = (const void *)(base + __ehdr_start.e_phoff);

	for (unsigned int i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t from = (base + p[i].p_vaddr) & ~(page - 1);
		uintptr_t to = (base + p[i].p_vaddr + p[i].p_memsz) & ~(page - 1);

		if (p[i].p_type == PT_GNU_RELRO && to > from &&
		    mprotect((void *)from, to - from, PROT_READ) < 0)
			_exit(254);
	}
}

/* @sp: argc, argv, NULL, envp, NULL, auxv. */
__attribute__((no_stack_protector, used, noreturn, visibility("hidden"))) void start_here(uintptr_t *sp);
void start_here(uintptr_t *sp)
{
	uintptr_t base = (uintptr_t)&__ehdr_start, guard = 0, page = 4096;
	char **argv = (char **)(sp + 1), **envp = argv + sp[0] + 1;
	const Elf64_auxv_t *aux;
	size_t n = 0;

	relocate(base);
	while (envp[n])
		n++;
	for (aux = (const void *)(envp + n + 1); aux->a_type != AT_NULL; aux++) {
		if (aux->a_type == AT_RANDOM)
			(void)memcpy(&guard, (const void *)aux->a_un.a_val, sizeof(guard)); /* not aligned */
		else if (aux->a_type == AT_PAGESZ)
			page = aux->a_un.a_val;
	}
	/* a NUL stops strings that run over */
	set_guard(guard & ~(uintptr_t)0xff);
	protect(base, page);
	_exit(main((int)sp[0], argv, envp));
}
