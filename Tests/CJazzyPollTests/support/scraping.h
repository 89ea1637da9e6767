/* A client of a page with metrics: it asks for the page, and looks at single samples. */
#ifndef JAZZY_TESTS_SCRAPING_H
#define JAZZY_TESTS_SCRAPING_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* Asks for "/metrics", with further header lines. Asserts that there is a page, which the functions below look at. */
void scrape_with(uint16_t port, const char *headers);
void scrape(uint16_t port);

/* The same over a connection of this client, which then ends. */
void scrape_over(test_client *from, const char *headers);

/* The value of a sample, as "jazzy_closes_total{code=\"1000\"}". Asserts that there is one. */
uint64_t scraped(const char *sample);
double scraped_number(const char *sample);

/* Whether the page has this text, or its head has it. */
bool scraped_page_has(const char *text);
bool scraped_head_has(const char *text);

#endif
