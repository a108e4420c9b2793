package dev.ratelimit.sample;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

@RestController
class ReportController {
    private final ReportService reports;

    ReportController(ReportService reports) {
        this.reports = reports;
    }

    @GetMapping("/reports/{tenant}")
    String report(@PathVariable String tenant) {
        return reports.latest(tenant) + "\n";
    }

    @GetMapping("/reports/{tenant}/export")
    String export(@PathVariable String tenant, @RequestParam int pages) {
        return reports.export(tenant, pages) + "\n";
    }
}
