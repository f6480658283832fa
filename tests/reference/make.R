# Writes what R computes of observations.csv to r.csv: the weighted fit on side and block in which each environment
# weighs the same, with CR2, CR3 and Satterthwaite's degrees of freedom by clubSandwich, and Holm's adjustment.
#
# Each environment has one value in a block here, the mean of its calls: where weights differ within a cluster there is
# more than one square root to take for CR2, and clubSandwich takes another than this project.

suppressPackageStartupMessages(library(clubSandwich))

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)))
rows <- read.csv(file.path(here, "observations.csv"))
rows$cluster <- paste(rows$side, rows$environment)
rows <- aggregate(value ~ cluster + side + block, rows, mean)

estimate <- function(rows, type) {
  paired <- intersect(rows$block[rows$side == "baseline"], rows$block[rows$side == "candidate"])
  rows <- rows[rows$block %in% paired, ]
  blocks <- table(rows$cluster)
  rows$share <- 1 / as.numeric(blocks[rows$cluster])
  fit <- lm(value ~ factor(block) + side, data = rows, weights = share)
  robust <- vcovCR(fit, cluster = rows$cluster, type = type, inverse_var = TRUE)
  test <- coef_test(fit, vcov = robust, test = "Satterthwaite", coefs = "sidecandidate")
  df <- if (is.null(test$df)) test$df_Satt else test$df
  c(estimate = test$beta, standard_error = test$SE, degrees_of_freedom = df)
}

# Each environment in one block, as in a cold campaign.
cold <- transform(rows, cluster = paste(side, seq_along(value)))
results <- rbind(
  "unbalanced CR2" = estimate(rows, "CR2"),
  "unbalanced CR3" = estimate(rows, "CR3"),
  "cold CR2" = estimate(cold, "CR2"),
  "cold CR3" = estimate(cold, "CR3")
)
p <- c(0.01, 0.04, 0.03, 0.005, 0.5)
write.csv(results, file.path(here, "r.csv"), quote = FALSE)
write.csv(data.frame(p, holm = p.adjust(p, "holm")), file.path(here, "holm.csv"), quote = FALSE, row.names = FALSE)
