/* net — the program: see stage1/net/README.md. */
int main(void)
{
	return 254;
}
