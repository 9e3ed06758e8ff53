/*
 * sanitizer — whether this build is one with AddressSanitizer.  It reserves terabytes of address space, and its report of an
 * error needs files and calls that a program which gives up its rights has forbidden itself.
 */
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(UNDER_SANITIZER)
#define UNDER_SANITIZER
#endif
