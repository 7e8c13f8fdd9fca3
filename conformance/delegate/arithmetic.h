// From an accumulator to an output code, rounded in one of several ways.
#ifndef INT8RT_DELEGATE_ARITHMETIC_H_
#define INT8RT_DELEGATE_ARITHMETIC_H_

#include <math.h>
#include <stdint.h>

typedef enum { EXACT, DOUBLE, SINGLE, FLOAT64, FLOAT32, TRUNCATE } Rounding;

// real = multiplier * 2^(shift - 31), with 31 bits; a shift below -31 stands for 0.
static void fixed_point(double real, int64_t* multiplier, int* shift) {
  *multiplier = llround(frexp(real, shift) * 2147483648.0);
  if (*multiplier == INT64_C(1) << 31) {
    *multiplier /= 2;
    ++*shift;
  }
  if (*shift < -31) *multiplier = *shift = 0;
}

static int64_t round_twice(int32_t accumulator, double real) {
  int64_t multiplier;
  int shift;
  fixed_point(real, &multiplier, &shift);
  const int left = shift > 0 ? shift : 0, right = shift < 0 ? -shift : 0;
  const int32_t shifted = (int32_t)((uint32_t)accumulator << left);
  const int64_t high = (shifted * multiplier + (INT64_C(1) << 30)) >> 31;
  if (right == 0) return high;
  return (high + (INT64_C(1) << (right - 1)) - (high < 0)) >> right;
}

static int64_t round_once(int32_t accumulator, double real) {
  int64_t multiplier;
  int shift;
  fixed_point(real, &multiplier, &shift);
  return (accumulator * multiplier + (INT64_C(1) << (30 - shift))) >> (31 - shift);
}

static int64_t rescale(int32_t accumulator, double real, Rounding rounding) {
  switch (rounding) {
    case SINGLE:
      return round_once(accumulator, real);
    case FLOAT64:
      return llround(accumulator * real);
    case FLOAT32:
      return llrintf((float)accumulator * (float)real);
    case TRUNCATE:
      return (int64_t)(accumulator * real);
    default:
      return round_twice(accumulator, real);
  }
}

#endif  // INT8RT_DELEGATE_ARITHMETIC_H_
